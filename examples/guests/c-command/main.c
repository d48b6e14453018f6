/* A command in C on wasi-libc's stdio: formatted input and output, files, folders, sorting, and the calls that end a program. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int fail(const char *what) {
    fprintf(stderr, "c-command: %s: %s\n", what, strerror(errno));
    return 1;
}

/* --- printf and scanf --- */

static int formats(void) {
    printf("[%5d] [%-5d] [%05d] [%+d]\n", 42, 42, 42, 42);
    printf("[%x] [%#X] [%o] [%c] [%10.4s]\n", 48879, 48879, 8, 'w', "truncated");
    printf("[%.3f] [%10.2e] [%g] [%a]\n", 3.14159265, 12345.678, 0.0001, 1.0);
    printf("[%" PRId64 "] [%" PRIu64 "] [%zu]\n", INT64_MIN, UINT64_MAX, sizeof(void *));
    printf("[%.17g] [%f] [%f]\n", 0.1 + 0.2, INFINITY, -INFINITY);
    int day, year, count;
    char month[16];
    count = sscanf("14 March 1879", "%d %15s %d", &day, month, &year);
    printf("%d fields: %d/%s/%d\n", count, day, month, year);
    printf("%ld %ld %.2f\n", strtol("0x7fff", NULL, 0), strtol("-101", NULL, 2), strtod("1e3", NULL));
    errno = 0;
    strtol("99999999999999999999", NULL, 10);
    printf("overflow: %s\n", errno == ERANGE ? "ERANGE" : "?");
    return 0;
}

/* --- mathematics: sums that show a wrong digit anywhere --- */

static int mathematics(void) {
    double sines = 0, roots = 0, logs = 0;
    for (int n = 1; n <= 1000; n++) {
        sines += sin(n) * cos(n / 2.0);
        roots += sqrt(n) + cbrt(n) + pow(n, 1.5);
        logs += log(n) - exp(-n) + atan2(n, 3) + fmod(n, 0.7);
    }
    printf("%.6f %.6f %.6f\n", sines, roots, logs);
    printf("%.0f %.0f %.0f %.0f %.0f\n", floor(-1.5), ceil(-1.5), trunc(-1.5), rint(2.5), round(2.5));
    return 0;
}

/* --- sorting stdin --- */

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int sort_stdin(void) {
    size_t used = 0, room = 0;
    char **lines = NULL;
    char *line = NULL;
    size_t length = 0;
    ssize_t got;
    while ((got = getline(&line, &length, stdin)) >= 0) {
        if (got && line[got - 1] == '\n') line[got - 1] = 0;
        if (used == room) {
            room = room ? room * 2 : 4;
            lines = realloc(lines, room * sizeof *lines);
            if (!lines) return fail("realloc");
        }
        lines[used++] = strdup(line);
    }
    free(line);
    qsort(lines, used, sizeof *lines, by_text);
    for (size_t at = 0; at < used; at++) {
        puts(lines[at]);
        free(lines[at]);
    }
    free(lines);
    fprintf(stderr, "%zu lines sorted\n", used);
    return 0;
}

/* --- files --- */

static int count(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) return fail(path);
    long lines = 0, words = 0, bytes = 0;
    for (int c, inside = 0; (c = getc(file)) != EOF; bytes++) {
        lines += c == '\n';
        if (isspace(c)) inside = 0;
        else if (!inside) inside = 1, words++;
    }
    fclose(file);
    printf("%6ld %6ld %6ld %s\n", lines, words, bytes, path);
    return 0;
}

struct record {
    int32_t id;
    float weight;
    char name[24];
};

/* Binary records at random positions, buffering modes, append, rename and remove, in an empty folder. */
static int records(const char *folder) {
    if (chdir(folder)) return fail(folder);
    FILE *file = fopen("records.bin", "w+b");
    if (!file) return fail("records.bin");
    setvbuf(file, NULL, _IOFBF, 100);
    for (int id = 0; id < 64; id++) {
        struct record record = {.id = id, .weight = id * 0.25f};
        snprintf(record.name, sizeof record.name, "record %d", id);
        if (fwrite(&record, sizeof record, 1, file) != 1) return fail("fwrite");
    }
    printf("position %ld\n", ftell(file));
    for (int id = 63; id >= 0; id -= 21) {
        struct record record;
        fseek(file, id * (long)sizeof record, SEEK_SET);
        if (fread(&record, sizeof record, 1, file) != 1) return fail("fread");
        printf("%d %.2f %s\n", record.id, record.weight, record.name);
    }
    fseek(file, 0, SEEK_END);
    printf("at the end: %d %d\n", fgetc(file), feof(file) != 0);
    fclose(file);

    struct stat stat_of;
    if (stat("records.bin", &stat_of)) return fail("stat");
    printf("size %lld\n", (long long)stat_of.st_size);
    if (truncate("records.bin", 32)) return fail("truncate");
    if (!(file = fopen("records.bin", "ab"))) return fail("records.bin");
    fputs("appended", file);
    fclose(file);
    if (mkdir("sub", 0777) || rename("records.bin", "sub/moved.bin")) return fail("rename");
    stat("sub/moved.bin", &stat_of);
    printf("moved, size %lld\n", (long long)stat_of.st_size);
    printf("gone: %d\n", access("records.bin", F_OK) == -1 && errno == ENOENT);
    printf("rmdir of a full folder: %d\n", rmdir("sub") == -1 && errno == ENOTEMPTY);
    if (unlink("sub/moved.bin") || rmdir("sub")) return fail("unlink");
    return 0;
}

/* With readdir rather than scandir, which in wasi-libc fails at "..". */
static int list(const char *folder) {
    DIR *dir = opendir(folder);
    if (!dir) return fail(folder);
    char *names[64];
    int count = 0;
    for (struct dirent *entry; count < 64 && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        char name[300];
        snprintf(name, sizeof name, "%s%s", entry->d_name, entry->d_type == DT_DIR ? "/" : "");
        names[count++] = strdup(name);
    }
    closedir(dir);
    qsort(names, count, sizeof *names, by_text);
    for (int at = 0; at < count; at++) {
        puts(names[at]);
        free(names[at]);
    }
    return 0;
}

/* --- the rest of the world --- */

static int environment(void) {
    for (char **entry = environ; *entry; entry++) puts(*entry);
    printf("HOME is %s\n", getenv("HOME") ? getenv("HOME") : "not set");
    return 0;
}

static int clocks(void) {
    struct timespec before, after, nap = {.tv_nsec = 5 * 1000 * 1000};
    clock_gettime(CLOCK_MONOTONIC, &before);
    nanosleep(&nap, NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    long long spent = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
    printf("slept long enough: %d\n", spent >= nap.tv_nsec);
    printf("after 2024: %d\n", time(NULL) > 1704067200);
    time_t then = 86400 * 365;
    char text[64];
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime(&then));
    puts(text);
    unsigned char seed[16] = {0}, sum = 0;
    if (getentropy(seed, sizeof seed)) return fail("getentropy");
    for (size_t at = 0; at < sizeof seed; at++) sum |= seed[at];
    printf("random: %d\n", sum != 0);
    return 0;
}

static void goodbye(void) { puts("goodbye"); }

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "hello";
    const char *arg = argc > 2 ? argv[2] : ".";
    if (!strcmp(mode, "hello")) return puts("Hello from a C command!") < 0;
    if (!strcmp(mode, "formats")) return formats();
    if (!strcmp(mode, "math")) return mathematics();
    if (!strcmp(mode, "sort")) return sort_stdin();
    if (!strcmp(mode, "count")) return count(arg);
    if (!strcmp(mode, "records")) return records(arg);
    if (!strcmp(mode, "list")) return list(arg);
    if (!strcmp(mode, "env")) return environment();
    if (!strcmp(mode, "clocks")) return clocks();
    if (!strcmp(mode, "exit")) {
        atexit(goodbye);
        exit(atoi(arg));
    }
    if (!strcmp(mode, "abort")) abort();
    if (!strcmp(mode, "divide")) {
        volatile int zero = 0;
        printf("%d\n", 100 / zero);
    }
    fprintf(stderr, "usage: %s hello|formats|math|sort|count FILE|records DIR|list DIR|env|clocks|exit CODE|abort|divide\n", argv[0]);
    return 2;
}
