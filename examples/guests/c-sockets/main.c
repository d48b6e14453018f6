/* Sockets the way C programs use them: names, non-blocking connections, one loop over poll, socket options. What it prints does not depend on
   ports that the system chose. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 5

static int fail(const char *what) {
    fprintf(stderr, "c-sockets: %s: %s\n", what, strerror(errno));
    return 1;
}

static int non_blocking(int fd) {
    return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL, 0) | O_NONBLOCK);
}

/* A client sends its number as text, in two pieces, and expects it back. */
struct client {
    int fd;
    enum { CONNECTING, WAITING, DONE } state;
    char text[32], answer[32];
    size_t got;
};

/* A server and its clients in one loop. */
static int loop(void) {
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0) return fail("socket");
    if (bind(listener, (struct sockaddr *)&at, sizeof at)) return fail("bind");
    if (listen(listener, CLIENTS)) return fail("listen");
    if (getsockname(listener, (struct sockaddr *)&at, &len)) return fail("getsockname");
    if (non_blocking(listener)) return fail("fcntl");

    struct client clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        struct client *c = &clients[i];
        *c = (struct client){ .fd = socket(AF_INET, SOCK_STREAM, 0), .state = CONNECTING };
        snprintf(c->text, sizeof c->text, "this is client %d", i);
        if (c->fd < 0 || non_blocking(c->fd)) return fail("client");
        if (connect(c->fd, (struct sockaddr *)&at, sizeof at) && errno != EINPROGRESS) return fail("connect");
    }

    int served[CLIENTS], servants = 0, accepted = 0, done = 0, closed = 0;
    while (done < CLIENTS || closed < CLIENTS) {
        struct pollfd fds[1 + 2 * CLIENTS];
        int n = 0;
        fds[n++] = (struct pollfd){ listener, POLLIN, 0 };
        for (int i = 0; i < CLIENTS; i++)
            if (clients[i].state != DONE) fds[n++] = (struct pollfd){ clients[i].fd, clients[i].state == CONNECTING ? POLLOUT : POLLIN, 0 };
        for (int i = 0; i < servants; i++) fds[n++] = (struct pollfd){ served[i], POLLIN, 0 };
        if (poll(fds, n, 10000) <= 0) return fail("poll");
        for (int k = 0; k < n; k++) {
            if (!fds[k].revents) continue;
            int fd = fds[k].fd;
            if (fd == listener) {
                int peer = accept(listener, NULL, NULL);
                if (peer < 0 && errno == EAGAIN) continue;
                if (peer < 0 || non_blocking(peer)) return fail("accept");
                served[servants++] = peer;
                accepted++;
                continue;
            }
            struct client *c = NULL;
            for (int i = 0; i < CLIENTS; i++)
                if (clients[i].state != DONE && clients[i].fd == fd) c = &clients[i];
            if (!c) { /* the server echoes until the client has no more to say */
                char buffer[8];
                ssize_t got = recv(fd, buffer, sizeof buffer, 0);
                if (got < 0 && errno == EAGAIN) continue;
                if (got < 0) return fail("recv");
                if (got > 0) {
                    if (send(fd, buffer, got, 0) != got) return fail("send");
                    continue;
                }
                close(fd);
                closed++;
                for (int i = 0; i < servants; i++)
                    if (served[i] == fd) served[i] = served[--servants];
            } else if (c->state == CONNECTING) {
                int error = 0;
                socklen_t size = sizeof error;
                if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) || error) return fail("connected");
                size_t half = strlen(c->text) / 2;
                if (send(fd, c->text, half, 0) < 0 || send(fd, c->text + half, strlen(c->text) - half, 0) < 0) return fail("send");
                if (shutdown(fd, SHUT_WR)) return fail("shutdown");
                c->state = WAITING;
            } else {
                ssize_t got = recv(fd, c->answer + c->got, sizeof c->answer - 1 - c->got, 0);
                if (got < 0 && errno == EAGAIN) continue;
                if (got < 0) return fail("recv");
                if (got > 0) {
                    c->got += got;
                    continue;
                }
                close(fd);
                c->state = DONE;
                done++;
            }
        }
    }
    for (int i = 0; i < CLIENTS; i++) printf("%s\n", clients[i].answer);
    printf("accepted %d, left %d\n", accepted, servants);
    return 0;
}

/* Asks a server that it finds by name. */
static int ask(const char *host, const char *port, const char *question) {
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error) {
        fprintf(stderr, "c-sockets: %s: %s\n", host, gai_strerror(error));
        return 1;
    }
    char text[INET_ADDRSTRLEN];
    printf("%s\n", inet_ntop(AF_INET, &((struct sockaddr_in *)found->ai_addr)->sin_addr, text, sizeof text));
    int fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (fd < 0) return fail("socket");
    if (connect(fd, found->ai_addr, found->ai_addrlen)) return fail("connect");
    freeaddrinfo(found);
    if (send(fd, question, strlen(question), 0) < 0) return fail("send");
    if (shutdown(fd, SHUT_WR)) return fail("shutdown");
    char buffer[256];
    ssize_t got;
    while ((got = recv(fd, buffer, sizeof buffer, 0)) > 0) fwrite(buffer, 1, got, stdout);
    if (got < 0) return fail("recv");
    printf("\n");
    return 0;
}

static int option(int fd, int level, int name, int value, const char *what) {
    int back = -1;
    socklen_t size = sizeof back;
    if (setsockopt(fd, level, name, &value, sizeof value)) return fail(what);
    if (getsockopt(fd, level, name, &back, &size)) return fail(what);
    printf("%s: %s\n", what, back == value ? "as set" : "different");
    return 0;
}

static int options(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return fail("socket");
    return option(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "keep-alive") || option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30, "idle time")
        || option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5, "interval") || option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4, "count")
        || option(fd, IPPROTO_IP, IP_TTL, 33, "hops") || option(fd, SOL_SOCKET, SO_RCVBUF, 0x8000, "receive buffer")
        || option(fd, SOL_SOCKET, SO_SNDBUF, 0x8000, "send buffer");
}

/* Datagrams to itself. */
static int datagrams(void) {
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } }, from;
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0) return fail("socket");
    if (bind(fd, (struct sockaddr *)&at, sizeof at)) return fail("bind");
    if (getsockname(fd, (struct sockaddr *)&at, &len)) return fail("getsockname");
    if (sendto(fd, "to myself", 9, 0, (struct sockaddr *)&at, sizeof at) != 9) return fail("sendto");
    struct pollfd wait = { fd, POLLIN, 0 };
    if (poll(&wait, 1, 10000) != 1) return fail("poll");
    char buffer[64];
    len = sizeof from;
    ssize_t got = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &len);
    if (got < 0) return fail("recvfrom");
    printf("%.*s, from the same port: %d\n", (int)got, buffer, from.sin_port == at.sin_port);
    if (non_blocking(fd)) return fail("fcntl");
    got = recv(fd, buffer, sizeof buffer, 0);
    printf("nothing more: %d\n", got < 0 && errno == EAGAIN);
    return 0;
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "loop")) return loop();
    if (!strcmp(mode, "options")) return options();
    if (!strcmp(mode, "datagrams")) return datagrams();
    if (!strcmp(mode, "ask") && argc == 5) return ask(argv[2], argv[3], argv[4]);
    fprintf(stderr, "usage: c-sockets loop | options | datagrams | ask HOST PORT TEXT\n");
    return 2;
}
