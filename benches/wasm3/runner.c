// Runs a module in wasm3 for the benchmarks, as a process of its own.
// A function with one parameter ignores B.
// usage: runner FILE             answers lines "EXPORT A B" on stdin with "RESULT NANOSECONDS"
//        runner FILE EXPORT A B  loads, calls once, and prints "RESULT WALL_NS CPU_NS", loading included
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "m3_env.h"
#include "wasm3.h"

static int64_t now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void check(M3Result result, char const *what) {
    if (!result) return;
    fprintf(stderr, "%s: %s\n", what, result);
    exit(1);
}

static IM3Runtime load(uint8_t const *bytes, size_t size) {
    IM3Environment environment = m3_NewEnvironment();
    IM3Runtime runtime = m3_NewRuntime(environment, 1 << 20, NULL);
    IM3Module module;
    check(m3_ParseModule(environment, &module, bytes, size), "parse");
    check(m3_LoadModule(runtime, module), "load");
    return runtime;
}

static int64_t call(IM3Runtime runtime, char const *export, int32_t a, int32_t b) {
    IM3Function function;
    check(m3_FindFunction(&function, runtime, export), "find");
    check(m3_CallV(function, a, b), "call");
    int64_t result = 0;
    check(m3_GetResultsV(function, &result), "result");
    return result;
}

int main(int argc, char **argv) {
    if (argc != 2 && argc != 5) return 2;
    FILE *file = fopen(argv[1], "rb");
    if (!file) return perror(argv[1]), 1;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(size);
    if (!bytes || fread(bytes, 1, size, file) != (size_t)size) return perror(argv[1]), 1;
    fclose(file);

    int64_t wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    IM3Runtime runtime = load(bytes, size);
    if (argc == 5) {
        int64_t result = call(runtime, argv[2], atoi(argv[3]), atoi(argv[4]));
        printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", result, now(CLOCK_MONOTONIC) - wall, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
        return 0;
    }
    char export[64];
    int32_t a, b;
    while (scanf("%63s %" SCNd32 " %" SCNd32, export, &a, &b) == 3) {
        wall = now(CLOCK_MONOTONIC);
        int64_t result = call(runtime, export, a, b);
        printf("%" PRId64 " %" PRId64 "\n", result, now(CLOCK_MONOTONIC) - wall);
        fflush(stdout);
    }
    return 0;
}
