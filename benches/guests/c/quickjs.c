// The JavaScript engine QuickJS, running a script.
#include "program.h"
#include "quickjs.h"

static char const SCRIPT[] = {
#embed "../scripts/work.js"
    , 0
};

static int evaluate(JSContext *context, char const *text, size_t size, int64_t *result) {
    JSValue value = JS_Eval(context, text, size, "work.js", JS_EVAL_TYPE_GLOBAL);
    int failed = JS_IsException(value) || (result && JS_ToInt64(context, result, value));
    JS_FreeValue(context, value);
    return !failed;
}

RUN {
    set_up();
    uint64_t sum = SUM_START;
    JSRuntime *runtime = JS_NewRuntime();
    JS_SetMaxStackSize(runtime, 0);
    JSContext *context = JS_NewContext(runtime);
    if (!context || !evaluate(context, SCRIPT, sizeof SCRIPT - 1, NULL)) return 0;
    for (int32_t i = 0; i < n; i++) {
        int64_t result;
        if (!evaluate(context, "work()", 6, &result)) return 0;
        sum = sum_bytes(sum, &result, sizeof result);
    }
    JS_FreeContext(context);
    JS_FreeRuntime(runtime);
    return sum;
}
