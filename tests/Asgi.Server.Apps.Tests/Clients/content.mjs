// The content that Matrix/MatrixServer.cs sends and expects, and how it is told from other content.
import { createHash } from 'node:crypto';

export function content(size) {
  const bytes = Buffer.alloc(size);
  for (let index = 0; index < size; index++) bytes[index] = (index * 31) >> 3;
  return bytes;
}

export async function summary(stream) {
  const hash = createHash('sha256');
  let length = 0;
  for await (const block of stream) {
    hash.update(block);
    length += block.length;
  }
  return { length, sha256: hash.digest('hex') };
}
