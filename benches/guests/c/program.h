// What the C programs share: the export, and a checksum.
#include <stddef.h>
#include <stdint.h>

void __wasm_call_ctors(void);

// The C library is set up at the first call, so that the host has nothing to call before `run`.
static inline void set_up(void) {
    static int done;
    if (!done) {
        done = 1;
        __wasm_call_ctors();
    }
}

// FNV-1a.
#define SUM_START UINT64_C(0xcbf29ce484222325)
static inline uint64_t sum_bytes(uint64_t sum, void const *bytes, size_t size) {
    for (unsigned char const *b = bytes; size-- > 0; b++) sum = (sum ^ *b) * UINT64_C(0x100000001b3);
    return sum;
}
#define RUN __attribute__((export_name("run"))) int64_t run(int32_t n)
