// SQLite on a database in memory: a schema, inserts, an index, joins, aggregates, text functions, updates.
#include "program.h"
#include "sqlite3.h"
#include <string.h>

// SQLITE_OS_OTHER: there is no operating system, so the file system interface has only to be there; databases in
// memory never open a file.
static int open_nothing(sqlite3_vfs *vfs, char const *name, sqlite3_file *file, int flags, int *out) { return SQLITE_CANTOPEN; }
static int delete_nothing(sqlite3_vfs *vfs, char const *name, int sync) { return SQLITE_OK; }
static int access_nothing(sqlite3_vfs *vfs, char const *name, int flags, int *out) { return *out = 0, SQLITE_OK; }
static int full_name(sqlite3_vfs *vfs, char const *name, int size, char *out) { return sqlite3_snprintf(size, out, "%s", name), SQLITE_OK; }
static int randomness(sqlite3_vfs *vfs, int size, char *out) { return memset(out, 0x5a, size), size; }
static int sleep_not(sqlite3_vfs *vfs, int microseconds) { return 0; }
static int time_of(sqlite3_vfs *vfs, double *julian) { return *julian = 2460000.5, SQLITE_OK; }

int sqlite3_os_init(void) {
    static sqlite3_vfs vfs = {
        .iVersion = 1, .szOsFile = sizeof(sqlite3_file), .mxPathname = 64, .zName = "none",
        .xOpen = open_nothing, .xDelete = delete_nothing, .xAccess = access_nothing, .xFullPathname = full_name,
        .xRandomness = randomness, .xSleep = sleep_not, .xCurrentTime = time_of,
    };
    return sqlite3_vfs_register(&vfs, 1);
}
int sqlite3_os_end(void) { return SQLITE_OK; }

static char const *const SCRIPT[] = {
    "CREATE TABLE port (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, depth REAL)",
    "CREATE TABLE call (id INTEGER PRIMARY KEY, port INTEGER REFERENCES port, ship TEXT, day INTEGER, tons REAL)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
    " INSERT INTO port SELECT i, printf('port-%03d', i * 7919 % 1000), (i * 37 % 211) / 7.0 FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)"
    " INSERT INTO call SELECT i, 1 + i * 31 % 200, 'ship ' || (i * 17 % 301), i % 365, (i * 7907 % 10007) / 3.0 FROM n",
    "CREATE INDEX call_port ON call (port, day)",
    "SELECT p.name, count(*), sum(c.tons), max(c.day) FROM port p JOIN call c ON c.port = p.id WHERE p.depth > 5"
    " GROUP BY p.id HAVING count(*) > 3 ORDER BY 3 DESC, 1 LIMIT 40",
    "SELECT ship, count(DISTINCT port) AS ports, group_concat(day, ',') FROM call WHERE day BETWEEN 50 AND 120 GROUP BY ship ORDER BY ports, ship",
    "SELECT day, tons, sum(tons) OVER (ORDER BY day, id ROWS 20 PRECEDING) FROM call WHERE ship LIKE 'ship 1%' AND id % 3 = 0",
    "SELECT upper(substr(ship, 3)) || replace(ship, 'ship', '-'), length(hex(ship)), round(tons, 1) FROM call WHERE instr(ship, '9') > 0 ORDER BY tons",
    "UPDATE call SET tons = tons * 1.25, ship = ship || '*' WHERE port IN (SELECT id FROM port WHERE depth < 10) AND day < 200",
    "DELETE FROM call WHERE id % 7 = 3",
    "SELECT count(*), total(tons), min(ship), avg(length(ship)) FROM call",
};

static int execute(sqlite3 *db, char const *sql, uint64_t *sum) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) return 0;
    int step;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int column = 0; column < sqlite3_column_count(statement); column++) {
            unsigned char const *text = sqlite3_column_text(statement, column);
            *sum = sum_bytes(*sum, text, sqlite3_column_bytes(statement, column));
        }
    }
    return sqlite3_finalize(statement) == SQLITE_OK && step == SQLITE_DONE;
}

RUN {
    set_up();
    uint64_t sum = SUM_START;
    for (int32_t i = 0; i < n; i++) {
        sqlite3 *db;
        if (sqlite3_open(":memory:", &db) != SQLITE_OK) return 0;
        for (size_t s = 0; s < sizeof SCRIPT / sizeof *SCRIPT; s++) {
            if (!execute(db, SCRIPT[s], &sum)) return 0;
        }
        sqlite3_close(db);
    }
    return sum;
}
