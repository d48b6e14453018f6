// The WASI calls that the C library makes, answered here so that a program has no imports: no files, no arguments, a
// clock that counts its calls, and output that goes nowhere.
#include <stddef.h>
#include <stdint.h>

#define CALL(name, ...) int32_t __imported_wasi_snapshot_preview1_##name(__VA_ARGS__)
enum { BADF = 8, NOSYS = 52 };

CALL(args_sizes_get, int32_t *count, int32_t *size) { return *count = *size = 0; }
CALL(args_get, int32_t a, int32_t b) { return 0; }
CALL(environ_sizes_get, int32_t *count, int32_t *size) { return *count = *size = 0; }
CALL(environ_get, int32_t a, int32_t b) { return 0; }
CALL(clock_res_get, int32_t clock, int64_t *ns) { return *ns = 1, 0; }
CALL(clock_time_get, int32_t clock, int64_t precision, int64_t *ns) {
    static int64_t now;
    return *ns = now += 1000, 0;
}
CALL(fd_write, int32_t fd, int32_t const *list, int32_t count, int32_t *written) {
    int32_t sum = 0;
    for (int32_t i = 0; i < count; i++) sum += list[2 * i + 1];
    return *written = sum, 0;
}
CALL(fd_read, int32_t fd, int32_t list, int32_t count, int32_t *read) { return *read = 0; }
CALL(fd_close, int32_t fd) { return BADF; }
// Zig's own part of the C library names its import otherwise.
int32_t zig_fd_close(int32_t fd) __asm__("fd_close|wasi_snapshot_preview1");
int32_t zig_fd_close(int32_t fd) { return BADF; }
CALL(fd_renumber, int32_t fd, int32_t to) { return BADF; }
CALL(fd_seek, int32_t fd, int64_t offset, int32_t whence, int32_t at) { return BADF; }
CALL(fd_fdstat_get, int32_t fd, int32_t at) { return BADF; }
CALL(fd_fdstat_set_flags, int32_t fd, int32_t flags) { return BADF; }
CALL(fd_filestat_get, int32_t fd, int32_t at) { return BADF; }
CALL(fd_prestat_get, int32_t fd, int32_t at) { return BADF; }
CALL(fd_prestat_dir_name, int32_t fd, int32_t at, int32_t size) { return BADF; }
CALL(path_open, int32_t fd, int32_t a, int32_t b, int32_t c, int32_t d, int64_t e, int64_t f, int32_t g, int32_t h) { return NOSYS; }
CALL(path_unlink_file, int32_t fd, int32_t a, int32_t b) { return NOSYS; }
CALL(path_remove_directory, int32_t fd, int32_t a, int32_t b) { return NOSYS; }
CALL(path_rename, int32_t fd, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e) { return NOSYS; }
CALL(path_filestat_get, int32_t fd, int32_t a, int32_t b, int32_t c, int32_t d) { return NOSYS; }
CALL(poll_oneoff, int32_t a, int32_t b, int32_t c, int32_t d) { return NOSYS; }
CALL(sched_yield, void) { return 0; }
CALL(random_get, uint8_t *at, int32_t size) {
    while (size-- > 0) *at++ = 0x5a;
    return 0;
}
_Noreturn void __imported_wasi_snapshot_preview1_proc_exit(int32_t code) { __builtin_trap(); }
