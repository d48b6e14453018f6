/* Cases of what a C library makes of WASI: the errors that arrive as errno, and the functions in which a C program meets the
   interfaces. The first argument chooses one; see ../src/lib.rs for the rules. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
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

static void paths(void) {
    char text[100], below[102];
    struct stat st;
    put("work/f", "x");
    CHECK(mkdir("work/d", 0777) == 0);
    // Names that don't begin with `/` are below the working directory, which is up to the library.
    CHECK(chdir("work") == 0 && getcwd(text, sizeof text) && strcmp(text + strlen(text) - 5, "/work") == 0);
    CHECK(access("f", R_OK) == 0 && access("d/../f", F_OK) == 0);
    CHECK_ERRNO(access("missing", F_OK), ENOENT);
    int dir = open("d", O_RDONLY | O_DIRECTORY);
    CHECK(dir >= 0);
    int fd = openat(dir, "inner", O_WRONLY | O_CREAT | O_EXCL, 0666);
    CHECK(fd >= 0 && close(fd) == 0);
    CHECK(fstatat(dir, "inner", &st, 0) == 0 && S_ISREG(st.st_mode) && st.st_size == 0);
    CHECK(faccessat(dir, "inner", F_OK, 0) == 0 && renameat(dir, "inner", dir, "moved") == 0);
    CHECK_ERRNO(fstatat(dir, "inner", &st, 0), ENOENT);
    CHECK(unlinkat(dir, "moved", 0) == 0 && close(dir) == 0);
    CHECK_ERRNO(chdir("missing"), ENOENT);
    snprintf(below, sizeof below, "%s/d", text);
    CHECK(chdir("d") == 0 && access("../f", F_OK) == 0 && getcwd(text, sizeof text) && strcmp(text, below) == 0);
}

static void entries(void) {
    CHECK(mkdir("work/sub", 0777) == 0 && symlink("f", "work/link") == 0);
    put("work/f", "");
    DIR *dir = opendir("work");
    CHECK(dir);
    // The library adds the two entries that every directory has, or does not.
    for (int round = 0; round < 2; round++) {
        int seen = 0;
        for (struct dirent *entry; (errno = 0, entry = readdir(dir));) {
            if (strcmp(entry->d_name, "sub") == 0) seen += entry->d_type == DT_DIR ? 1 : 1000;
            else if (strcmp(entry->d_name, "link") == 0) seen += entry->d_type == DT_LNK ? 10 : 1000;
            else if (strcmp(entry->d_name, "f") == 0) seen += entry->d_type == DT_REG ? 100 : 1000;
            else CHECK(strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
        }
        CHECK(errno == 0 && seen == 111);
        rewinddir(dir);
    }
    CHECK(closedir(dir) == 0);
    struct dirent **names;
    int count = scandir("work/sub", &names, NULL, alphasort);
    CHECK(count == 0 || count == 2);
    CHECK(!opendir("work/f") && errno == ENOTDIR);
}

static void streams(void) {
    char text[40];
    FILE *file = fopen("work/f", "w+");
    CHECK(file && fprintf(file, "%s %d %x", "number", 42, 255) == 12 && fflush(file) == 0);
    CHECK(fseek(file, 7, SEEK_SET) == 0 && ftell(file) == 7);
    int number = 0;
    CHECK(fscanf(file, "%d", &number) == 1 && number == 42);
    CHECK(ungetc('!', file) == '!' && fgetc(file) == '!' && fgetc(file) == ' ');
    rewind(file);
    CHECK(fread(text, 1, sizeof text, file) == 12 && feof(file) && !ferror(file) && fclose(file) == 0);
    file = fopen("work/f", "a+");
    CHECK(file && fseek(file, 0, SEEK_SET) == 0 && fputs("end", file) >= 0 && fclose(file) == 0);
    file = fopen("work/f", "r");
    CHECK(file && fgets(text, sizeof text, file) && strcmp(text, "number 42 ffend") == 0);
    CHECK(fputs("x", file) == EOF || fflush(file) == EOF);
    fclose(file);
    CHECK(!fopen("work/missing", "r") && errno == ENOENT);
    CHECK(!fopen("work/f", "wx") && errno == EEXIST);
    int fd = open("work/v", O_RDWR | O_CREAT, 0666);
    struct iovec parts[3] = {{"one ", 4}, {"", 0}, {"two", 3}};
    // All parts, or as much as could be written at once.
    ssize_t written = fd >= 0 ? writev(fd, parts, 3) : -1;
    CHECK((written == 7 || written == 4) && lseek(fd, 0, SEEK_SET) == 0);
    struct iovec into[2] = {{text, 2}, {text + 2, 30}};
    CHECK(readv(fd, into, 2) > 0 && text[0] == 'o' && fsync(fd) == 0 && fdatasync(fd) == 0);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 3000}};
    struct stat st;
    CHECK(futimens(fd, times) == 0 && fstat(fd, &st) == 0 && st.st_mtim.tv_sec == 3000);
    CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR && close(fd) == 0);
}

static void datagrams(void) {
    struct sockaddr_in one_at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, two_at = one_at, from;
    socklen_t len = sizeof one_at;
    char text[10];
    int one = socket(AF_INET, SOCK_DGRAM, 0), two = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(one >= 0 && bind(one, (struct sockaddr *)&one_at, len) == 0 && getsockname(one, (struct sockaddr *)&one_at, &len) == 0);
    CHECK(two >= 0 && bind(two, (struct sockaddr *)&two_at, len) == 0 && getsockname(two, (struct sockaddr *)&two_at, &len) == 0);
    CHECK(sendto(one, "hello", 5, 0, (struct sockaddr *)&two_at, len) == 5);
    // What is longer than there is room for is cut.
    CHECK(recvfrom(two, text, 4, 0, (struct sockaddr *)&from, &len) == 4 && memcmp(text, "hell", 4) == 0);
    CHECK(from.sin_port == one_at.sin_port && from.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    CHECK_ERRNO(recv(two, text, 10, MSG_DONTWAIT), EAGAIN);
    int three = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(three >= 0 && connect(three, (struct sockaddr *)&one_at, len) == 0 && send(three, "reply", 5, 0) == 5);
    CHECK(recv(one, text, 10, 0) == 5 && memcmp(text, "reply", 5) == 0);
    CHECK(close(one) == 0 && close(two) == 0 && close(three) == 0);
}

static void nonblocking(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int yes = 1, value = 0;
    char text[10];
    int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK(server >= 0 && setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0);
    CHECK(bind(server, (struct sockaddr *)&at, len) == 0 && listen(server, 5) == 0);
    CHECK(getsockname(server, (struct sockaddr *)&at, &len) == 0);
    CHECK_ERRNO(accept(server, NULL, NULL), EAGAIN);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(client >= 0 && fcntl(client, F_SETFL, O_NONBLOCK) == 0 && fcntl(client, F_GETFL) & O_NONBLOCK);
    errno = 0;
    CHECK(connect(client, (struct sockaddr *)&at, len) == 0 || errno == EINPROGRESS);
    struct pollfd ready = {.fd = client, .events = POLLOUT};
    CHECK(poll(&ready, 1, 5000) == 1 && ready.revents & POLLOUT);
    CHECK(getsockopt(client, SOL_SOCKET, SO_ERROR, &value, (len = sizeof value, &len)) == 0 && value == 0);
    CHECK_ERRNO(recv(client, text, 10, 0), EAGAIN);
    ready = (struct pollfd){.fd = server, .events = POLLIN};
    CHECK(poll(&ready, 1, 5000) == 1);
    int accepted = accept(server, NULL, NULL);
    CHECK(accepted >= 0 && send(accepted, "x", 1, 0) == 1);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(client, &set);
    CHECK(select(client + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(client, &set));
    CHECK(recv(client, text, 10, 0) == 1 && text[0] == 'x');
    CHECK(setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes) == 0);
    CHECK(getsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &value, (len = sizeof value, &len)) == 0 && value == 1);
    CHECK(getsockopt(client, SOL_SOCKET, SO_TYPE, &value, (len = sizeof value, &len)) == 0 && value == SOCK_STREAM);
    CHECK(close(accepted) == 0);
    CHECK(poll(&(struct pollfd){.fd = client, .events = POLLIN}, 1, 5000) == 1 && recv(client, text, 10, 0) == 0);
    CHECK(close(client) == 0 && close(server) == 0);
}

static void names(void) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    CHECK(getaddrinfo("localhost", "80", &hints, &found) == 0 && found);
    struct sockaddr_in *address = (struct sockaddr_in *)found->ai_addr;
    CHECK(address->sin_family == AF_INET && ntohl(address->sin_addr.s_addr) >> 24 == 127 && address->sin_port == htons(80));
    freeaddrinfo(found);
    CHECK(getaddrinfo("a b", NULL, &hints, &found) != 0);
}

static void exit_status(void) {
    exit(3);
}

static void aborts(void) {
    puts("about to trap");
    fflush(stdout);
    abort();
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"open-errors", open_errors}, {"positions", positions}, {"directories", directories}, {"links", links},
    {"read-only", read_only}, {"clocks", clocks}, {"random", random_bytes}, {"sockets", sockets}, {"denied", denied}, {"stdio", stdio},
    {"paths", paths}, {"entries", entries}, {"streams", streams}, {"datagrams", datagrams}, {"nonblocking", nonblocking}, {"names", names},
    {"exit-status", exit_status}, {"abort", aborts},
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
