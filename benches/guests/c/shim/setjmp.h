// Lua includes this; its errors end the program here (see ../../build.sh), as Wasm without exceptions can't jump.
typedef int jmp_buf;
