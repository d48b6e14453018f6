//! What runs inside of Redis. A script runs as a whole or not at all, and nothing runs beside it.
//!
//! A bucket is three keys: a hash with the values, a sorted set with its keys in order, and the number of bytes of all
//! keys and values. The fourth one is the channel that changes are published in, if they are.
//!
//! Scripts that may refuse give a status first: see [`status`]. Those that change something give 1 at the end if it could
//! not be published.
//!
//! A message is `S`, the length of the key, `:`, the key and the value, or the same with `D` and no value, or `L` where that
//! would be too long, for a watcher's queue or together with the others of the script: the server sends nothing before a
//! script is over, and closes the connections of those for whom too much waits then.

use super::changes::MAX_BYTES;
use redis::Script;

/// What a script gives first.
pub(super) mod status {
    pub(crate) const DONE: i64 = 0;
    pub(crate) const TOO_MANY_KEYS: i64 = 1;
    pub(crate) const TOO_MANY_BYTES: i64 = 2;
    pub(crate) const NOT_A_NUMBER: i64 = 3;
    pub(crate) const OVERFLOW: i64 = 4;
    pub(crate) const TOO_LARGE: i64 = 5;
    pub(crate) const CHANGED: i64 = 6;
}

/// Publishes what was changed. The change stays where the user may not do that.
const TELL: &str = "
local unpublished, told = 0, 0
local function tell(kind, key, value)
  if not KEYS[4] then return end
  local message = 'L'
  if told + #key + #value <= MAX_BYTES then
    told = told + #key + #value
    message = kind .. #key .. ':' .. key .. value
  end
  local published = redis.pcall('PUBLISH', KEYS[4], message)
  if type(published) == 'table' and published.err then unpublished = 1 end
end
";

/// Puts a value if the quota, in the first two arguments, has room for it, and gives the status.
const PUT: &str = "
local function cost(key)
  if redis.call('HEXISTS', KEYS[1], key) == 0 then return nil end
  return #key + redis.call('HSTRLEN', KEYS[1], key)
end
local function refuse(before, after)
  if not before and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 1 end
  local used = tonumber(redis.call('GET', KEYS[3]) or '0')
  if after > (before or 0) and used - (before or 0) + after > tonumber(ARGV[2]) then return 2 end
  return nil
end
local function put(key, value)
  local before, after = cost(key), #key + #value
  local refused = refuse(before, after)
  if refused then return refused end
  redis.call('HSET', KEYS[1], key, value)
  redis.call('ZADD', KEYS[2], 0, key)
  redis.call('INCRBY', KEYS[3], after - (before or 0))
  tell('S', key, value)
  return 0
end
";

const SET: &str = "
for i = 3, #ARGV, 2 do
  local status = put(ARGV[i], ARGV[i + 1])
  if status ~= 0 then return {status, (i - 3) / 2, unpublished} end
end
return {0, (#ARGV - 2) / 2, unpublished}
";

const DELETE: &str = "
local removed = {}
for i = 1, #ARGV do
  local size = redis.call('HSTRLEN', KEYS[1], ARGV[i])
  if redis.call('HDEL', KEYS[1], ARGV[i]) == 1 then
    redis.call('ZREM', KEYS[2], ARGV[i])
    redis.call('DECRBY', KEYS[3], #ARGV[i] + size)
    table.insert(removed, i)
    tell('D', ARGV[i], '')
  end
end
if redis.call('HLEN', KEYS[1]) == 0 then redis.call('DEL', KEYS[3]) end
return {0, removed, unpublished}
";

/// The first argument is how many bytes may be given.
const GET: &str = "
local total = 0
for i = 2, #ARGV do total = total + redis.call('HSTRLEN', KEYS[1], ARGV[i]) end
if total > tonumber(ARGV[1]) then return {5, {}} end
local found = {}
for i = 2, #ARGV do found[i - 1] = redis.call('HGET', KEYS[1], ARGV[i]) end
return {0, found}
";

/// Numbers of Lua have no room for 64 bits, so Redis itself adds, and the quota is looked at afterwards.
const INCREMENT: &str = "
local key, delta = ARGV[3], ARGV[4]
local before, old = cost(key), redis.call('HGET', KEYS[1], key)
local added = redis.pcall('HINCRBY', KEYS[1], key, delta)
if type(added) == 'table' and added.err then
  if string.find(added.err, 'overflow', 1, true) then return {4, false, 0} end
  if string.find(added.err, 'not an integer', 1, true) then return {3, false, 0} end
  return added
end
local sum = redis.call('HGET', KEYS[1], key)
if before then redis.call('HSET', KEYS[1], key, old) else redis.call('HDEL', KEYS[1], key) end
local status = put(key, sum)
if status ~= 0 then return {status, false, 0} end
return {0, sum, unpublished}
";

/// Arguments: quota, key, value, `1` if a value is expected, and which.
const SWAP: &str = "
local now = redis.call('HGET', KEYS[1], ARGV[3])
local expected = false
if ARGV[5] == '1' then expected = ARGV[6] end
if now ~= expected then return {6, now, 0} end
return {put(ARGV[3], ARGV[4]), false, unpublished}
";

/// The scripts of a bucket, with their hashes.
pub(super) struct Scripts {
    pub(super) get: Script,
    pub(super) set: Script,
    pub(super) delete: Script,
    pub(super) increment: Script,
    pub(super) swap: Script,
}

impl Scripts {
    pub(super) fn new() -> Scripts {
        let tell = TELL.replace("MAX_BYTES", &MAX_BYTES.to_string());
        let with_put = |body: &str| Script::new(&format!("{tell}{PUT}{body}"));
        Scripts {
            get: Script::new(GET),
            set: with_put(SET),
            delete: Script::new(&format!("{tell}{DELETE}")),
            increment: with_put(INCREMENT),
            swap: with_put(SWAP),
        }
    }
}
