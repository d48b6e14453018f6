// SQLite as a command: runs SQL on a database in a granted folder. A row becomes a line, its columns divided by `|`.
// usage: sqlite-command DATABASE SQL...
#include <stdio.h>
#include <string.h>

#include "sqlite3.h"

static int show(void *unused, int count, char **values, char **names) {
    (void)unused, (void)names;
    for (int i = 0; i < count; i++) printf("%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
    putchar('\n');
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: sqlite-command DATABASE SQL...\n");
        return 2;
    }
    // Nobody else has the file: WASI has no locks.
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "unix-none") != SQLITE_OK) {
        fprintf(stderr, "sqlite-command: %s: %s\n", argv[1], db ? sqlite3_errmsg(db) : "no memory");
        return 1;
    }
    for (int i = 2; i < argc; i++) {
        char *message = NULL;
        if (sqlite3_exec(db, argv[i], show, NULL, &message) != SQLITE_OK) {
            fprintf(stderr, "sqlite-command: %s\n", message ? message : sqlite3_errmsg(db));
            return 1;
        }
    }
    return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
