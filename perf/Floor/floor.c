// The floor: what one core gives when a server does nothing but move bytes. One epoll loop that counts ends of heads ("\r\n\r\n")
// in whatever it reads and answers each by the same response. It parses nothing, has no limits and no timeouts, and is no server
// to use. Prints its address and serves until it is ended.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_DESCRIPTORS = 65536, MAX_EVENTS = 512, READ_SIZE = 16384, BATCH = 256 };

// The head a server sends for /plaintext, Date included, so that neither side has less to write or to read.
static const char RESPONSE[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Type: text/plain\r\nDate: Fri, 20 Nov 2026 12:00:00 GMT\r\n"
    "Server: floor\r\n\r\nHello, World!";

enum { LENGTH = sizeof RESPONSE - 1 };

struct connection {
    unsigned matched; // octets of "\r\n\r\n" that the last read ended with
    size_t unsent;    // octets of whole responses still to go: the next one starts at LENGTH - unsent % LENGTH of a response
    int waits;        // for room to send, and reads nothing meanwhile
};

static struct connection connections[MAX_DESCRIPTORS];
static char responses[BATCH * LENGTH];

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static size_t heads(struct connection *connection, const char *bytes, size_t count)
{
    size_t found = 0;
    unsigned matched = connection->matched;
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == (matched & 1 ? '\n' : '\r'))
            matched++;
        else
            matched = bytes[i] == '\r';
        if (matched == 4) {
            found++;
            matched = 0;
        }
    }
    connection->matched = matched;
    return found;
}

// 0 when all is sent, 1 when the socket is full, -1 when the connection is gone.
static int flush(int fd, struct connection *connection)
{
    while (connection->unsent > 0) {
        size_t from = (LENGTH - connection->unsent % LENGTH) % LENGTH;
        size_t count = connection->unsent < sizeof responses - from ? connection->unsent : sizeof responses - from;
        ssize_t sent = send(fd, responses + from, count, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN ? 1 : -1;
        connection->unsent -= (size_t)sent;
    }
    return 0;
}

static void watch(int epoll, int operation, int fd, unsigned events)
{
    struct epoll_event event = { .events = events, .data.fd = fd };
    if (epoll_ctl(epoll, operation, fd, &event) < 0)
        fail("epoll_ctl");
}

static void accept_all(int epoll, int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        int on = 1;
        if (fd >= MAX_DESCRIPTORS) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections[fd] = (struct connection){ 0 };
        watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
    }
}

static void serve(int epoll, int fd)
{
    static char buffer[READ_SIZE];
    struct connection *connection = &connections[fd];
    if (!connection->waits) {
        ssize_t count = recv(fd, buffer, sizeof buffer, 0);
        if (count < 0 && errno == EAGAIN)
            return;
        if (count <= 0) {
            close(fd);
            return;
        }
        connection->unsent += heads(connection, buffer, (size_t)count) * LENGTH;
    }
    int full = flush(fd, connection);
    if (full < 0)
        close(fd);
    else if (full != connection->waits) {
        connection->waits = full;
        watch(epoll, EPOLL_CTL_MOD, fd, full ? EPOLLOUT : EPOLLIN);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < BATCH; i++)
        memcpy(responses + i * LENGTH, RESPONSE, LENGTH);

    int epoll = epoll_create1(0);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    if (epoll < 0 || listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 512) < 0
        || getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        fail("listen");
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN);
    printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);

    struct epoll_event events[MAX_EVENTS];
    for (;;) {
        int count = epoll_wait(epoll, events, MAX_EVENTS, -1);
        if (count < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                accept_all(epoll, listener);
            else
                serve(epoll, events[i].data.fd);
        }
    }
}
