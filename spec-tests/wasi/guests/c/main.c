/* Cases of what a C library makes of WASI: the errors that arrive as errno, and the functions in which a C program meets the
   interfaces. The first argument chooses one; see ../src/lib.rs for the rules. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHECK(cond) ((cond) ? (void)0 : failed(__LINE__, #cond))
#define CHECK_ERRNO(call, code) (errno = 0, (call) == -1 && errno == (code) ? (void)0 : failed(__LINE__, #call " is not " #code))

static void failed(int line, const char *what) {
    printf("main.c:%d: %s (errno %d, %s)\n", line, what, errno, strerror(errno));
    exit(1);
}

static void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    CHECK(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(close(fd) == 0);
}

static void open_errors(void) {
    put("work/f", "x");
    CHECK(mkdir("work/d", 0777) == 0);
    CHECK_ERRNO(open("work/missing", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("work/f", O_WRONLY | O_CREAT | O_EXCL, 0666), EEXIST);
    CHECK_ERRNO(open("work/d", O_WRONLY), EISDIR);
    CHECK_ERRNO(open("work/f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERRNO(open("work/f/x", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(symlink("loop", "work/loop") ? -1 : open("work/loop", O_RDONLY), ELOOP);
}

static void positions(void) {
    char text[20] = "";
    struct stat st;
    put("work/f", "hello world");
    int fd = open("work/f", O_RDWR);
    CHECK(fd >= 0);
    CHECK(lseek(fd, 6, SEEK_SET) == 6 && read(fd, text, 20) == 5 && memcmp(text, "world", 5) == 0);
    CHECK(read(fd, text, 20) == 0);
    CHECK(pread(fd, text, 5, 0) == 5 && memcmp(text, "hello", 5) == 0);
    CHECK(pwrite(fd, "J", 1, 0) == 1);
    CHECK(lseek(fd, 0, SEEK_CUR) == 11 && lseek(fd, -1, SEEK_END) == 10);
    CHECK(ftruncate(fd, 5) == 0 && fstat(fd, &st) == 0 && st.st_size == 5 && S_ISREG(st.st_mode));
    CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK(close(fd) == 0);
    CHECK_ERRNO(read(fd, text, 1), EBADF);
    fd = open("work/f", O_WRONLY | O_APPEND);
    CHECK(fd >= 0 && write(fd, "!", 1) == 1 && close(fd) == 0);
    FILE *file = fopen("work/f", "r");
    CHECK(file && fgets(text, 20, file) && strcmp(text, "Jello!") == 0 && fclose(file) == 0);
}

static void directories(void) {
    CHECK(mkdir("work/d", 0777) == 0);
    CHECK_ERRNO(mkdir("work/d", 0777), EEXIST);
    put("work/d/a", "");
    put("work/d/b", "");
    CHECK_ERRNO(rmdir("work/d"), ENOTEMPTY);
    CHECK_ERRNO(rmdir("work/d/a"), ENOTDIR);
    int seen = 0;
    DIR *dir = opendir("work/d");
    CHECK(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, "a") == 0) seen += 1;
        if (strcmp(entry->d_name, "b") == 0) seen += 10;
    }
    CHECK(closedir(dir) == 0 && seen == 11);
    CHECK(rename("work/d/a", "work/d/b") == 0 && unlink("work/d/b") == 0 && rmdir("work/d") == 0);
    CHECK_ERRNO(unlink("work/d"), ENOENT);
}

static void links(void) {
    char text[20];
    struct stat st;
    put("work/f", "12345");
    CHECK(symlink("f", "work/l") == 0 && link("work/f", "work/h") == 0);
    CHECK(readlink("work/l", text, 20) == 1 && text[0] == 'f');
    CHECK(lstat("work/l", &st) == 0 && S_ISLNK(st.st_mode));
    CHECK(stat("work/l", &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 5 && st.st_nlink == 2);
    CHECK_ERRNO(readlink("work/f", text, 20), EINVAL);
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    CHECK(utimensat(AT_FDCWD, "work/f", times, 0) == 0 && stat("work/f", &st) == 0);
    CHECK(st.st_atim.tv_sec == 1000 && st.st_mtim.tv_sec == 2000);
}

static void read_only(void) {
    char text[10];
    int fd = open("fixed/f", O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, 10) == 5);
    CHECK_ERRNO(open("fixed/f", O_WRONLY), EROFS);
    CHECK_ERRNO(open("fixed/x", O_WRONLY | O_CREAT, 0666), EROFS);
    CHECK_ERRNO(mkdir("fixed/x", 0777), EROFS);
    CHECK_ERRNO(unlink("fixed/f"), EROFS);
    CHECK_ERRNO(rename("fixed/f", "fixed/x"), EROFS);
}

static void clocks(void) {
    struct timespec start, end, pause = {.tv_nsec = 5000000}, step;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &start) == 0 && nanosleep(&pause, NULL) == 0 && clock_gettime(CLOCK_MONOTONIC, &end) == 0);
    CHECK((end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec - start.tv_nsec >= 5000000);
    CHECK(clock_getres(CLOCK_REALTIME, &step) == 0 && (step.tv_sec || step.tv_nsec));
    CHECK(time(NULL) > 1700000000);
}

static void random_bytes(void) {
    unsigned char one[32] = {0}, two[32] = {0};
    CHECK(getentropy(one, 32) == 0 && getentropy(two, 32) == 0 && memcmp(one, two, 32) != 0);
}

static void sockets(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    char text[10];
    int server = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(server >= 0 && bind(server, (struct sockaddr *)&at, len) == 0 && listen(server, 5) == 0);
    CHECK(getsockname(server, (struct sockaddr *)&at, &len) == 0 && at.sin_port != 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(client >= 0 && connect(client, (struct sockaddr *)&at, len) == 0);
    int accepted = accept(server, NULL, NULL);
    CHECK(accepted >= 0);
    struct pollfd fds[2] = {{.fd = accepted, .events = POLLIN}, {.fd = client, .events = POLLIN}};
    CHECK(poll(fds, 2, 10) == 0);
    CHECK(send(client, "ping", 4, 0) == 4 && poll(fds, 2, -1) == 1 && fds[0].revents & POLLIN);
    CHECK(recv(accepted, text, 10, 0) == 4 && memcmp(text, "ping", 4) == 0);
    CHECK(shutdown(client, SHUT_WR) == 0 && recv(accepted, text, 10, 0) == 0);
    CHECK(close(client) == 0 && close(accepted) == 0 && close(server) == 0);
    int refused = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(refused >= 0);
    CHECK_ERRNO(connect(refused, (struct sockaddr *)&at, len), ECONNREFUSED);
}

static void denied(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(9)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0) CHECK_ERRNO(connect(fd, (struct sockaddr *)&at, sizeof at), EACCES);
    CHECK_ERRNO(open("work/f", O_RDONLY), ENOENT);
}

static void stdio(void) {
    char line[40];
    CHECK(fgets(line, 40, stdin) && strcmp(line, "first\n") == 0);
    CHECK(fgets(line, 40, stdin) && strcmp(line, "last") == 0);
    CHECK(!fgets(line, 40, stdin) && feof(stdin));
    CHECK(!isatty(0) && !isatty(1));
    CHECK(getenv("KEY") && strcmp(getenv("KEY"), "value") == 0 && !getenv("MISSING"));
    printf("%s %d\n", "printed", 42);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"open-errors", open_errors}, {"positions", positions}, {"directories", directories}, {"links", links},
    {"read-only", read_only}, {"clocks", clocks}, {"random", random_bytes}, {"sockets", sockets}, {"denied", denied}, {"stdio", stdio},
};

int main(int argc, char **argv) {
    const char *wanted = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(wanted, "--list") == 0) {
            puts(cases[i].name);
        } else if (strcmp(wanted, cases[i].name) == 0) {
            cases[i].run();
            return 0;
        }
    }
    if (strcmp(wanted, "--list") == 0) return 0;
    printf("no such case: %s\n", wanted);
    return 1;
}
