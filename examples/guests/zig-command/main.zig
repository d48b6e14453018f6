//! A command in Zig on its own standard library: digests, JSON, a game of life on vectors, sorting, files and folders.

const std = @import("std");
const Io = std.Io;

pub fn main(init: std.process.Init) !void {
    const io = init.io;
    const args = try init.minimal.args.toSlice(init.arena.allocator());
    const mode = if (args.len > 1) args[1] else "hello";
    const rest = if (args.len > 2) args[2..] else args[0..0];

    var buffer: [4096]u8 = undefined;
    var stdout = Io.File.stdout().writerStreaming(io, &buffer);
    const out = &stdout.interface;
    const run = .{
        .{ "hello", hello },
        .{ "args", showArgs },
        .{ "env", showEnv },
        .{ "digest", digest },
        .{ "json", json },
        .{ "life", life },
        .{ "primes", primes },
        .{ "files", files },
        .{ "walk", walk },
        .{ "clocks", clocks },
        .{ "error", fail },
        .{ "unreachable", trap },
    };
    inline for (run) |entry| {
        if (std.mem.eql(u8, mode, entry[0])) {
            const done = entry[1](init, rest, out);
            try out.flush();
            return done;
        }
    }
    std.debug.print("zig-command: there is no mode {s}\n", .{mode});
    return error.UnknownMode;
}

const Init = std.process.Init;
const Args = []const [:0]const u8;

fn hello(_: Init, _: Args, out: *Io.Writer) !void {
    try out.writeAll("Hello from a Zig command!\n");
}

fn showArgs(_: Init, args: Args, out: *Io.Writer) !void {
    for (args, 0..) |arg, at| try out.print("{d}: {s} ({d} bytes)\n", .{ at, arg, arg.len });
}

fn showEnv(init: Init, _: Args, out: *Io.Writer) !void {
    for (init.environ_map.keys(), init.environ_map.values()) |name, value| try out.print("{s} is {s}\n", .{ name, value });
}

fn readStdin(init: Init) ![]u8 {
    var buffer: [512]u8 = undefined;
    var stdin = Io.File.stdin().readerStreaming(init.io, &buffer);
    return stdin.interface.allocRemaining(init.arena.allocator(), .limited(1 << 24));
}

/// Digests of stdin.
fn digest(init: Init, _: Args, out: *Io.Writer) !void {
    const input = try readStdin(init);
    try out.print("{d} bytes\n", .{input.len});
    inline for (.{
        .{ "md5", std.crypto.hash.Md5 },
        .{ "sha256", std.crypto.hash.sha2.Sha256 },
        .{ "sha3-256", std.crypto.hash.sha3.Sha3_256 },
        .{ "blake3", std.crypto.hash.Blake3 },
    }) |entry| {
        var hash: [entry[1].digest_length]u8 = undefined;
        entry[1].hash(input, &hash, .{});
        try out.print("{s}: {x}\n", .{ entry[0], hash });
    }
    try out.print("crc32: {x:0>8}\n", .{std.hash.Crc32.hash(input)});
    try out.print("wyhash: {x:0>16}\n", .{std.hash.Wyhash.hash(1, input)});
    const encoder = std.base64.standard.Encoder;
    const text = try init.arena.allocator().alloc(u8, encoder.calcSize(input.len));
    try out.print("base64: {s}\n", .{encoder.encode(text, input)});
}

const Planet = struct {
    name: []const u8,
    radius: f64,
    moons: []const []const u8 = &.{},
};

/// Planets in JSON from stdin, by radius.
fn json(init: Init, _: Args, out: *Io.Writer) !void {
    const planets = try std.json.parseFromSliceLeaky([]Planet, init.arena.allocator(), try readStdin(init), .{ .ignore_unknown_fields = true });
    std.mem.sort(Planet, planets, {}, struct {
        fn less(_: void, a: Planet, b: Planet) bool {
            return a.radius < b.radius;
        }
    }.less);
    for (planets) |planet| {
        try out.print("{s: <10}{d:>10.1}", .{ planet.name, planet.radius });
        for (planet.moons) |moon| try out.print(" {s}", .{moon});
        try out.writeByte('\n');
    }
    try out.print("{f}\n", .{std.json.fmt(planets[0], .{})});
}

/// A game of life on a torus of 16 rows with 16 cells each: the vectors become SIMD where the target has it.
fn life(_: Init, args: Args, out: *Io.Writer) !void {
    const generations = try std.fmt.parseInt(u32, if (args.len > 0) args[0] else "10", 10);
    const Row = @Vector(16, u8);
    const ones: Row = @splat(1);
    var rows: [16]Row = @splat(@splat(0));
    inline for ([_][2]u8{ .{ 1, 2 }, .{ 2, 3 }, .{ 3, 1 }, .{ 3, 2 }, .{ 3, 3 }, .{ 10, 10 }, .{ 10, 11 }, .{ 10, 12 } }) |cell| rows[cell[0]][cell[1]] = 1;
    const left = comptime shifted(15);
    const right = comptime shifted(1);
    for (0..generations) |_| {
        var next: [16]Row = undefined;
        for (0..16) |y| {
            var neighbours: Row = @splat(0);
            for ([_]usize{ (y + 15) % 16, y, (y + 1) % 16 }) |from| {
                const row = rows[from];
                neighbours += @shuffle(u8, row, undefined, left) + @shuffle(u8, row, undefined, right);
                if (from != y) neighbours += row;
            }
            const three = @select(u8, neighbours == @as(Row, @splat(3)), ones, ones - ones);
            const two = @select(u8, neighbours == @as(Row, @splat(2)), rows[y], ones - ones);
            next[y] = three | two;
        }
        rows = next;
    }
    var alive: u32 = 0;
    for (rows) |row| {
        alive += @reduce(.Add, row);
        for (0..16) |x| try out.writeByte(if (@as([16]u8, row)[x] == 1) '#' else '.');
        try out.writeByte('\n');
    }
    try out.print("{d} alive\n", .{alive});
}

fn shifted(by: i32) @Vector(16, i32) {
    var mask: [16]i32 = undefined;
    for (&mask, 0..) |*lane, at| lane.* = @mod(@as(i32, @intCast(at)) + by, 16);
    return mask;
}

fn primes(init: Init, args: Args, out: *Io.Writer) !void {
    const limit = try std.fmt.parseInt(usize, if (args.len > 0) args[0] else "100000", 10);
    var composite: std.bit_set.Dynamic = try .initEmpty(init.gpa, limit + 1);
    defer composite.deinit(init.gpa);
    var count: usize = 0;
    var sum: u128 = 0;
    for (2..limit + 1) |n| {
        if (composite.isSet(n)) continue;
        count += 1;
        sum += n * n;
        var multiple = n * n;
        while (multiple <= limit) : (multiple += n) composite.set(multiple);
    }
    try out.print("{d} primes up to {d}, sum of squares {d}\n", .{ count, limit, sum });
}

/// The folder that was granted under that name.
fn granted(init: Init, args: Args) !Io.Dir {
    if (args.len == 0) return error.MissingArgument;
    const resource = init.preopens.get(args[0]) orelse return error.NotGranted;
    return switch (resource) {
        .dir => |dir| dir,
        .file => error.NotDir,
    };
}

fn files(init: Init, args: Args, out: *Io.Writer) !void {
    const io = init.io;
    const dir = try granted(init, args);
    const file = try dir.createFile(io, "notes.txt", .{ .read = true });
    {
        defer file.close(io);
        var buffer: [64]u8 = undefined;
        var writer = file.writer(io, &buffer);
        for (0..100) |n| try writer.interface.print("line {d}\n", .{n});
        try writer.interface.flush();
        try out.print("length {d}\n", .{try file.length(io)});
        var part: [7]u8 = undefined;
        const got = try file.readPositionalAll(io, &part, 70);
        try out.print("at 70: {s}\n", .{part[0..got]});
        try file.writePositionalAll(io, "LINE", 70);
        try file.setLength(io, 84);
    }
    try dir.createDirPath(io, "a/b/c");
    try dir.rename("notes.txt", dir, "a/b/c/moved.txt", io);
    const text = try dir.readFileAlloc(io, "a/b/c/moved.txt", init.arena.allocator(), .limited(1000));
    try out.print("ends with {s}\n", .{text[text.len - 14 ..]});
    _ = dir.openFile(io, "notes.txt", .{}) catch |failure| try out.print("{t}\n", .{failure});
    _ = dir.openFile(io, "../outside.txt", .{}) catch |failure| try out.print("{t}\n", .{failure});
    const stat = try dir.statFile(io, "a/b", .{});
    try out.print("a/b: {t}\n", .{stat.kind});
    try dir.deleteTree(io, "a");
    _ = dir.statFile(io, "a", .{}) catch |failure| try out.print("{t}\n", .{failure});
}

fn walk(init: Init, args: Args, out: *Io.Writer) !void {
    const gpa = init.arena.allocator();
    const dir = try (try granted(init, args)).openDir(init.io, ".", .{ .iterate = true });
    var walker = try dir.walk(gpa);
    defer walker.deinit();
    var paths: std.ArrayList([]const u8) = .empty;
    while (try walker.next(init.io)) |entry| {
        try paths.append(gpa, try std.fmt.allocPrint(gpa, "{s} ({t})", .{ entry.path, entry.kind }));
    }
    std.mem.sort([]const u8, paths.items, {}, struct {
        fn less(_: void, a: []const u8, b: []const u8) bool {
            return std.mem.lessThan(u8, a, b);
        }
    }.less);
    for (paths.items) |path| try out.print("{s}\n", .{path});
}

fn clocks(init: Init, _: Args, out: *Io.Writer) !void {
    const before = Io.Clock.awake.now(init.io);
    try Io.sleep(init.io, .fromMilliseconds(3), .awake);
    const after = Io.Clock.awake.now(init.io);
    try out.print("slept long enough: {}\n", .{after.nanoseconds - before.nanoseconds >= 3_000_000});
    const second = 1_000_000_000;
    try out.print("after 2024: {}\n", .{Io.Clock.real.now(init.io).nanoseconds > 1_704_067_200 * second});
    var bytes: [32]u8 = @splat(0);
    init.io.random(&bytes);
    try out.print("random: {}\n", .{!std.mem.allEqual(u8, &bytes, 0)});
}

fn fail(_: Init, _: Args, _: *Io.Writer) !void {
    return error.AskedToFail;
}

fn trap(_: Init, _: Args, out: *Io.Writer) !void {
    try out.writeAll("before\n");
    try out.flush();
    @trap();
}
