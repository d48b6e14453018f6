// The Lua interpreter, running a script.
#include "program.h"
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

static char const SCRIPT[] = {
#embed "../scripts/work.lua"
};

static int load(lua_State *lua) {
    static luaL_Reg const libraries[] = {
        {LUA_GNAME, luaopen_base}, {LUA_TABLIBNAME, luaopen_table}, {LUA_STRLIBNAME, luaopen_string}, {LUA_MATHLIBNAME, luaopen_math},
    };
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        luaL_requiref(lua, libraries[i].name, libraries[i].func, 1);
        lua_pop(lua, 1);
    }
    return luaL_loadbuffer(lua, SCRIPT, sizeof SCRIPT, "work");
}

RUN {
    set_up();
    uint64_t sum = SUM_START;
    lua_State *lua = luaL_newstate();
    if (!lua || load(lua) != LUA_OK) return 0;
    lua_call(lua, 0, 1);
    for (int32_t i = 0; i < n; i++) {
        lua_pushvalue(lua, -1);
        lua_call(lua, 0, 1);
        lua_Integer result = lua_tointeger(lua, -1);
        sum = sum_bytes(sum, &result, sizeof result);
        lua_pop(lua, 1);
    }
    lua_close(lua);
    return sum;
}
