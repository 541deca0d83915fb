// The load of the echo scenario, since wrk speaks no WebSocket: opens connections, sends on each one masked text frame of 64
// octets at a time and checks that what comes back is that frame, for the seconds given; then each connection waits for its last
// echo and is closed by a Close frame. One epoll loop.
//   echo PORT PATH CONNECTIONS SECONDS
// Ends with the line of wrk.lua: RESULT messages microseconds p50 p99 socket-errors wrong-answers.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PAYLOAD = 64,
    SENT = 2 + 4 + PAYLOAD, // a client's frame has its mask
    HEAD_SIZE = 4096,
    MAX_EVENTS = 512,
    MAX_LATENCY = 1000000, // microseconds; what is longer counts as this
    TIMEOUT = 10,          // seconds without an answer to the handshake
    LAST = 2,              // seconds for the last echoes; what has not come then is an error
    CONTROL_MAX = 125,     // octets in a control frame
    TEXT = 0x81,           // FIN and the opcode, as of the others
    CLOSE = 0x88,
    PING = 0x89,
    PONG = 0x8A
};

// The key and its answer of RFC 6455, section 1.3.
static const char KEY[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char ANSWER[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

struct connection {
    int fd;
    uint64_t messages; // sent so far; each has its number in its text, so that an old echo is no right one
    uint64_t sent_at;
    size_t received;
    unsigned char payload[PAYLOAD];
    unsigned char buffer[2 * (2 + CONTROL_MAX)]; // what has been read but is no whole frame yet
};

static long latencies[MAX_LATENCY + 1];
static long answered, socket_errors, wrong_answers;
static int open_connections, is_over;

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

// Reads the head of the answer octet by octet: what follows it, if anything, is the server's first frame.
static int is_accepted(int fd)
{
    char head[HEAD_SIZE];
    size_t count = 0;
    while (count < 4 || memcmp(head + count - 4, "\r\n\r\n", 4) != 0)
        if (count == sizeof head - 1 || recv(fd, head + count++, 1, 0) != 1)
            return 0;
    head[count] = 0;
    char *accept = strcasestr(head, "\r\nSec-WebSocket-Accept:");
    return strncmp(head, "HTTP/1.1 101", 12) == 0 && accept != NULL && strstr(accept, ANSWER) != NULL;
}

static int open_connection(int port, const char *path)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = TIMEOUT };
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);

    char request[1024];
    int length = snprintf(request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n",
        path, port, KEY);
    if (length >= (int)sizeof request || send(fd, request, (size_t)length, MSG_NOSIGNAL) != length || !is_accepted(fd)) {
        fprintf(stderr, "the server did not upgrade %s\n", path);
        exit(1);
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void end(struct connection *connection)
{
    close(connection->fd);
    connection->fd = -1;
    open_connections--;
}

static void say_goodbye(struct connection *connection)
{
    static const unsigned char frame[] = { CLOSE, 0x80, 0, 0, 0, 0 };
    if (send(connection->fd, frame, sizeof frame, MSG_NOSIGNAL) != sizeof frame)
        socket_errors++;
    end(connection);
}

static void send_message(struct connection *connection)
{
    static uint32_t seed = 2463534242;
    seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
    unsigned char mask[4], frame[SENT] = { TEXT, 0x80 | PAYLOAD };
    memcpy(mask, &seed, sizeof mask);
    memcpy(frame + 2, mask, sizeof mask);

    uint64_t number = connection->messages++;
    for (int i = 0; i < PAYLOAD; i++) {
        connection->payload[i] = (unsigned char)(i < 16 ? '0' + (int)(number >> 2 * i & 3) : 'a' + i % 26);
        frame[6 + i] = connection->payload[i] ^ mask[i % 4];
    }
    connection->sent_at = now();
    if (send(connection->fd, frame, sizeof frame, MSG_NOSIGNAL) != sizeof frame) { // 70 octets always fit into an empty buffer
        socket_errors++;
        end(connection);
    }
}

// The first frame in the buffer, which is whole. Servers ping connections that last; a client has to answer (RFC 6455, section 5.5.2).
static void take(struct connection *connection)
{
    const unsigned char *frame = connection->buffer;
    if (frame[0] == PONG)
        return;
    if (frame[0] == PING) {
        unsigned char pong[2 + 4 + CONTROL_MAX] = { PONG, 0x80 | frame[1] }; // by a mask of zeros
        memcpy(pong + 6, frame + 2, frame[1]);
        if (send(connection->fd, pong, 6 + (size_t)frame[1], MSG_NOSIGNAL) != 6 + frame[1]) {
            socket_errors++;
            end(connection);
        }
        return;
    }
    if (frame[0] != TEXT || frame[1] != PAYLOAD || memcmp(frame + 2, connection->payload, PAYLOAD) != 0) {
        wrong_answers++;
        end(connection);
        return;
    }
    if (is_over) { // too late to be counted
        say_goodbye(connection);
        return;
    }
    uint64_t latency = now() - connection->sent_at;
    latencies[latency < MAX_LATENCY ? latency : MAX_LATENCY]++;
    answered++;
    send_message(connection);
}

static void receive(struct connection *connection)
{
    ssize_t count = recv(connection->fd, connection->buffer + connection->received, sizeof connection->buffer - connection->received, 0);
    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0) {
        socket_errors++;
        end(connection);
        return;
    }
    connection->received += (size_t)count;
    while (connection->fd >= 0 && connection->received >= 2) {
        size_t length = 2 + (size_t)connection->buffer[1];
        if (connection->buffer[1] > CONTROL_MAX) { // longer than any that is due, or masked
            wrong_answers++;
            end(connection);
            return;
        }
        if (length > connection->received)
            return;
        take(connection);
        connection->received -= length;
        memmove(connection->buffer, connection->buffer + length, connection->received);
    }
}

static void serve(int epoll, uint64_t until)
{
    struct epoll_event events[MAX_EVENTS];
    while (open_connections > 0 && now() < until) {
        int ready = epoll_wait(epoll, events, MAX_EVENTS, 100);
        for (int i = 0; i < ready; i++)
            receive(events[i].data.ptr);
    }
}

static long percentile(double part)
{
    long seen = 0, due = (long)((double)answered * part);
    for (long latency = 0; latency < MAX_LATENCY; latency++)
        if ((seen += latencies[latency]) > due)
            return latency;
    return MAX_LATENCY;
}

int main(int count, char **arguments)
{
    if (count != 5) {
        fprintf(stderr, "echo PORT PATH CONNECTIONS SECONDS\n");
        return 2;
    }
    int port = atoi(arguments[1]), size = atoi(arguments[3]), seconds = atoi(arguments[4]);
    struct connection *connections = calloc((size_t)size, sizeof *connections);
    int epoll = epoll_create1(0);
    if (connections == NULL || epoll < 0)
        fail("start");
    for (int i = 0; i < size; i++) {
        connections[i].fd = open_connection(port, arguments[2]);
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &connections[i] };
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event) < 0)
            fail("epoll_ctl");
        open_connections++;
    }

    uint64_t start = now(), stop = start + (uint64_t)seconds * 1000000;
    for (int i = 0; i < size; i++)
        send_message(&connections[i]);
    serve(epoll, stop);
    uint64_t duration = now() - start;

    is_over = 1;
    serve(epoll, now() + LAST * 1000000);
    socket_errors += open_connections;
    printf("RESULT %ld %llu %ld %ld %ld %ld\n", answered, (unsigned long long)duration, percentile(0.5), percentile(0.99), socket_errors,
        wrong_answers);
    return 0;
}
