// The load of the scenarios with a connection per request over TLS, since wrk does not say whether it resumes: opens connections, makes
// the handshake of TLS 1.3 on each, sends one request with Connection: close, reads the response until the server has closed the
// connection, and begins anew, for the seconds given. With `full` each handshake has the server sign; with `resumed` each but the first of a
// slot brings the last ticket, and a session that the server did not take up counts as a wrong answer. One epoll loop.
//   handshake PORT PATH CONNECTIONS SECONDS full|resumed
// Ends with the line of wrk.lua: RESULT requests microseconds p50 p99 socket-errors wrong-answers.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_EVENTS = 512,
    MAX_LATENCY = 1000000, // microseconds; what is longer counts as this
    MAX_ERRORS = 1000,     // socket errors after which there is no point in going on
    RESPONSE_SIZE = 4096,
    LAST = 2 // seconds for the last responses; what has not come then is an error
};

// A slot has one connection at a time.
struct slot {
    int fd;
    SSL *ssl;
    SSL_SESSION *session; // of the slot's last ticket; null before the first
    uint64_t started_at;
    int is_resumed; // it was offered a session
    int is_sent;
    size_t received;
    char response[RESPONSE_SIZE];
};

static long latencies[MAX_LATENCY + 1];
static long answered, socket_errors, wrong_answers;
static int open_slots, is_over, resumes, epoll, port;
static char request[1024];
static int request_length;
static SSL_CTX *context;

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void fail(const char *what)
{
    perror(what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

// A ticket has come. The reference is kept by returning 1.
static int take_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct slot *slot = SSL_get_app_data(ssl);
    SSL_SESSION_free(slot->session);
    slot->session = session;
    return 1;
}

static void begin(struct slot *slot)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int on = 1;
    slot->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (slot->fd < 0)
        fail("socket");
    slot->started_at = now();
    if (connect(slot->fd, (struct sockaddr *)&address, sizeof address) < 0) // of the loopback it is done at once
        fail("connect");
    fcntl(slot->fd, F_SETFL, O_NONBLOCK);
    setsockopt(slot->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

    slot->ssl = SSL_new(context);
    if (slot->ssl == NULL || SSL_set_fd(slot->ssl, slot->fd) != 1 || SSL_set_tlsext_host_name(slot->ssl, "localhost") != 1)
        fail("SSL_new");
    SSL_set_app_data(slot->ssl, slot);
    SSL_set_connect_state(slot->ssl);
    slot->is_resumed = resumes && slot->session != NULL;
    if (slot->is_resumed && SSL_set_session(slot->ssl, slot->session) != 1)
        fail("SSL_set_session");
    slot->is_sent = 0;
    slot->received = 0;
    open_slots++;

    // Level-triggered: what TLS waits for is input, but for the few octets of a request, which always fit.
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = slot };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, slot->fd, &event) < 0)
        fail("epoll_ctl");
}

static void advance(struct slot *slot);

static void end(struct slot *slot)
{
    SSL_free(slot->ssl);
    close(slot->fd);
    open_slots--;
    if (is_over)
        return;
    if (socket_errors > MAX_ERRORS) {
        fprintf(stderr, "too many errors\n");
        ERR_print_errors_fp(stderr);
        exit(1);
    }
    begin(slot);
    advance(slot);
}

// Whole by its length: not every server ends the session of TLS before the connection.
static int is_right(struct slot *slot)
{
    slot->response[slot->received] = 0;
    char *head_end = strstr(slot->response, "\r\n\r\n"), *length = strcasestr(slot->response, "\r\nContent-Length: ");
    return strncmp(slot->response, "HTTP/1.1 200 ", 13) == 0 && head_end != NULL && length != NULL && length < head_end
        && slot->response + slot->received == head_end + 4 + atoi(length + 18);
}

static void finish(struct slot *slot)
{
    if (!is_right(slot) || (slot->is_resumed && !SSL_session_reused(slot->ssl))) {
        wrong_answers++;
    } else if (!is_over) { // what ends later is too late to be counted
        uint64_t latency = now() - slot->started_at;
        latencies[latency < MAX_LATENCY ? latency : MAX_LATENCY]++;
        answered++;
    }
    SSL_shutdown(slot->ssl); // a session that is not ended well could not be resumed
    end(slot);
}

// As far as it goes without waiting.
static void advance(struct slot *slot)
{
    ERR_clear_error();
    if (!slot->is_sent) {
        int result = SSL_write(slot->ssl, request, request_length); // makes the handshake first
        if (result == request_length) {
            slot->is_sent = 1;
        } else if (SSL_get_error(slot->ssl, result) == SSL_ERROR_WANT_READ) {
            return;
        } else {
            socket_errors++;
            end(slot);
            return;
        }
    }
    for (;;) {
        int result = SSL_read(slot->ssl, slot->response + slot->received, (int)(sizeof slot->response - 1 - slot->received));
        if (result > 0) {
            slot->received += (size_t)result;
            continue;
        }
        switch (SSL_get_error(slot->ssl, result)) {
        case SSL_ERROR_WANT_READ:
            return;
        case SSL_ERROR_ZERO_RETURN: // the end, by close_notify or without it
            finish(slot);
            return;
        default:
            socket_errors++;
            end(slot);
            return;
        }
    }
}

static void serve(uint64_t until)
{
    struct epoll_event events[MAX_EVENTS];
    while (open_slots > 0 && now() < until) {
        int ready = epoll_wait(epoll, events, MAX_EVENTS, 100);
        for (int i = 0; i < ready; i++)
            advance(events[i].data.ptr);
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
    if (count != 6 || (strcmp(arguments[5], "full") != 0 && strcmp(arguments[5], "resumed") != 0)) {
        fprintf(stderr, "handshake PORT PATH CONNECTIONS SECONDS full|resumed\n");
        return 2;
    }
    port = atoi(arguments[1]);
    resumes = strcmp(arguments[5], "resumed") == 0;
    int size = atoi(arguments[3]), seconds = atoi(arguments[4]);
    request_length = snprintf(
        request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n", arguments[2], port);
    struct slot *slots = calloc((size_t)size, sizeof *slots);
    context = SSL_CTX_new(TLS_client_method());
    epoll = epoll_create1(0);
    if (slots == NULL || context == NULL || epoll < 0 || request_length >= (int)sizeof request)
        fail("start");
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL); // the server is measured, not the trust in it
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, take_ticket);

    for (int i = 0; i < size; i++) {
        begin(&slots[i]);
        advance(&slots[i]);
    }
    uint64_t start = now();
    serve(start + (uint64_t)seconds * 1000000);
    uint64_t duration = now() - start;

    is_over = 1;
    serve(now() + LAST * 1000000);
    socket_errors += open_slots;
    printf("RESULT %ld %llu %ld %ld %ld %ld\n", answered, (unsigned long long)duration, percentile(0.5), percentile(0.99), socket_errors,
        wrong_answers);
    return 0;
}
