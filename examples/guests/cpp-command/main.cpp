// A command in C++20 on libc++: streams, containers, algorithms, virtual calls, destructors, a calculator and a shortest path.
#include <algorithm>
#include <array>
#include <bitset>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <queue>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

// --- containers and algorithms ---

struct Noisy {
    explicit Noisy(std::string name) : name(std::move(name)) { ++alive; }
    ~Noisy() { --alive; }
    Noisy(const Noisy &) = delete;
    Noisy &operator=(const Noisy &) = delete;
    std::string name;
    static inline int alive = 0;
};

template <class Range> void show(const char *label, const Range &range) {
    std::cout << label << ':';
    for (const auto &value : range) std::cout << ' ' << value;
    std::cout << '\n';
}

int containers() {
    std::vector<int> numbers(20);
    std::iota(numbers.begin(), numbers.end(), -5);
    std::ranges::sort(numbers, [](int a, int b) { return std::pair(std::abs(a), a) < std::pair(std::abs(b), b); });
    show("by size", numbers);
    auto [odd, even] = std::pair<std::list<int>, std::deque<int>>{};
    std::ranges::partition_copy(numbers, std::back_inserter(odd), std::front_inserter(even), [](int n) { return n % 2 != 0; });
    show("odd", odd);
    show("even, backwards", even);
    std::cout << "sum " << std::accumulate(numbers.begin(), numbers.end(), 0) << ", lower bound of 7 in a set: "
              << *std::set<int>(numbers.begin(), numbers.end()).lower_bound(7) << '\n';

    std::unordered_map<std::string, std::vector<std::size_t>> places;
    const std::array<std::string_view, 7> words{"sea", "ship", "sea", "wind", "ship", "sea", "sun"};
    for (std::size_t at = 0; at < words.size(); ++at) places[std::string(words[at])].push_back(at);
    for (const auto &[word, at] : std::map(places.begin(), places.end())) show(word.c_str(), at);

    std::vector<std::unique_ptr<Noisy>> owned;
    for (auto name : {"one", "two", "three"}) owned.push_back(std::make_unique<Noisy>(name));
    auto shared = std::make_shared<Noisy>("shared");
    std::weak_ptr<Noisy> weak = shared;
    std::cout << "alive " << Noisy::alive;
    owned.pop_back();
    std::cout << ", then " << Noisy::alive;
    shared.reset();
    std::cout << ", then " << Noisy::alive << ", weak expired: " << std::boolalpha << weak.expired() << '\n';

    std::string permutation = "abcd";
    int steps = 0;
    while (std::ranges::next_permutation(permutation).found) ++steps;
    std::cout << steps << " permutations, bits " << std::bitset<10>(722) << '\n';
    return 0;
}

// --- streams ---

int streams() {
    std::cout << std::setw(8) << 42 << '|' << std::left << std::setw(8) << 42 << '|' << std::hex << std::showbase << 48879 << std::dec << '\n';
    std::cout << std::fixed << std::setprecision(3) << 2.0 / 3 << ' ' << std::scientific << 12345.678 << std::defaultfloat << ' ' << 1e-5 << '\n';
    std::istringstream in("12 0x1f 3.5 word rest of the line");
    int decimal = 0, hexadecimal = 0;
    double real = 0;
    std::string word, rest;
    in >> decimal >> std::hex >> hexadecimal >> real >> word;
    std::getline(in, rest);
    std::cout << decimal << ' ' << hexadecimal << ' ' << real << ' ' << word << " [" << rest << "]\n";
    in.clear();
    in.str("x");
    std::cout << "fails: " << std::boolalpha << !(in >> decimal) << '\n';
    return 0;
}

// --- a calculator: a tree of nodes with virtual calls ---

struct Node {
    virtual ~Node() = default;
    virtual double value(const std::map<std::string, double> &variables) const = 0;
};
using Tree = std::unique_ptr<Node>;

struct Number final : Node {
    explicit Number(double number) : number(number) {}
    double value(const std::map<std::string, double> &) const override { return number; }
    double number;
};

struct Variable final : Node {
    explicit Variable(std::string name) : name(std::move(name)) {}
    double value(const std::map<std::string, double> &variables) const override {
        auto found = variables.find(name);
        return found == variables.end() ? NAN : found->second;
    }
    std::string name;
};

struct Binary final : Node {
    Binary(char op, Tree left, Tree right) : op(op), left(std::move(left)), right(std::move(right)) {}
    double value(const std::map<std::string, double> &variables) const override {
        double a = left->value(variables), b = right->value(variables);
        switch (op) {
        case '+': return a + b;
        case '-': return a - b;
        case '*': return a * b;
        case '/': return a / b;
        default: return std::pow(a, b);
        }
    }
    char op;
    Tree left, right;
};

class Parser {
public:
    explicit Parser(std::string_view text) : rest(text) {}
    std::variant<Tree, std::string> parse() {
        Tree tree = sum();
        skip();
        if (error.empty() && !rest.empty()) error = "unexpected '" + std::string(1, rest[0]) + "'";
        if (!error.empty()) return error;
        return tree;
    }

private:
    void skip() {
        while (!rest.empty() && std::isspace(static_cast<unsigned char>(rest[0]))) rest.remove_prefix(1);
    }
    std::optional<char> take(std::string_view any) {
        skip();
        if (rest.empty() || any.find(rest[0]) == any.npos) return {};
        char got = rest[0];
        rest.remove_prefix(1);
        return got;
    }
    Tree sum() {
        Tree left = product();
        while (auto op = take("+-")) left = std::make_unique<Binary>(*op, std::move(left), product());
        return left;
    }
    Tree product() {
        Tree left = power();
        while (auto op = take("*/")) left = std::make_unique<Binary>(*op, std::move(left), power());
        return left;
    }
    Tree power() {
        Tree base = atom();
        if (take("^")) return std::make_unique<Binary>('^', std::move(base), power());
        return base;
    }
    Tree atom() {
        if (take("(")) {
            Tree inner = sum();
            if (!take(")") && error.empty()) error = "')' is missing";
            return inner;
        }
        if (take("-")) return std::make_unique<Binary>('-', std::make_unique<Number>(0), atom());
        skip();
        std::size_t length = 0;
        while (length < rest.size() && (std::isalnum(static_cast<unsigned char>(rest[length])) || rest[length] == '.')) ++length;
        std::string token(rest.substr(0, length));
        rest.remove_prefix(length);
        if (token.empty()) {
            if (error.empty()) error = rest.empty() ? "unexpected end" : "unexpected '" + std::string(1, rest[0]) + "'";
            return std::make_unique<Number>(0);
        }
        if (std::isalpha(static_cast<unsigned char>(token[0]))) return std::make_unique<Variable>(token);
        return std::make_unique<Number>(std::strtod(token.c_str(), nullptr));
    }

    std::string_view rest;
    std::string error;
};

/// Lines of stdin: `name = expression` or `expression`.
int calculator() {
    std::map<std::string, double> variables{{"pi", 3.141592653589793}};
    int errors = 0;
    for (std::string line; std::getline(std::cin, line);) {
        std::string name;
        if (auto equals = line.find('='); equals != line.npos) {
            std::istringstream(line.substr(0, equals)) >> name;
            line.erase(0, equals + 1);
        }
        auto parsed = Parser(line).parse();
        if (auto *error = std::get_if<std::string>(&parsed)) {
            std::cout << "error: " << *error << '\n';
            ++errors;
            continue;
        }
        double value = std::get<Tree>(parsed)->value(variables);
        if (!name.empty()) variables[name] = value;
        std::cout << (name.empty() ? "" : name + " = ") << std::setprecision(10) << value << '\n';
    }
    std::cerr << errors << " errors\n";
    return errors != 0;
}

// --- the shortest way through a maze in a file ---

int maze(const char *path) {
    std::FILE *file = std::fopen(path, "r");
    if (!file) {
        std::perror(path);
        return 1;
    }
    std::vector<std::string> rows(1);
    for (int c; (c = std::getc(file)) != EOF;) {
        if (c == '\n') rows.emplace_back();
        else rows.back().push_back(static_cast<char>(c));
    }
    std::fclose(file);
    using Place = std::pair<int, int>;
    std::map<Place, std::pair<int, Place>> best;
    std::priority_queue<std::tuple<int, Place, Place>, std::vector<std::tuple<int, Place, Place>>, std::greater<>> open;
    Place end;
    for (int y = 0; y < static_cast<int>(rows.size()); ++y)
        for (int x = 0; x < static_cast<int>(rows[y].size()); ++x) {
            if (rows[y][x] == 'S') open.push({0, {y, x}, {y, x}});
            if (rows[y][x] == 'E') end = {y, x};
        }
    while (!open.empty()) {
        auto [cost, place, from] = open.top();
        open.pop();
        if (!best.try_emplace(place, cost, from).second || place == end) continue;
        for (auto [dy, dx] : {Place{0, 1}, {1, 0}, {0, -1}, {-1, 0}}) {
            Place next{place.first + dy, place.second + dx};
            if (next.first < 0 || next.first >= static_cast<int>(rows.size()) || next.second < 0 ||
                next.second >= static_cast<int>(rows[next.first].size()))
                continue;
            char cell = rows[next.first][next.second];
            if (cell != '#') open.push({cost + (std::isdigit(static_cast<unsigned char>(cell)) ? cell - '0' : 1), next, place});
        }
    }
    auto found = best.find(end);
    if (found == best.end()) {
        std::cout << "no way\n";
        return 1;
    }
    std::cout << "cost " << found->second.first << '\n';
    for (Place at = found->second.second; rows[at.first][at.second] != 'S'; at = best[at].second) rows[at.first][at.second] = '*';
    for (const auto &row : rows) std::cout << row << '\n';
    return 0;
}

struct Global {
    ~Global() { std::puts("global destroyed"); }
};

}  // namespace

int main(int argc, char **argv) {
    std::string_view mode = argc > 1 ? argv[1] : "hello";
    if (mode == "hello") return !(std::cout << "Hello from a C++ command!" << std::endl);
    if (mode == "containers") return containers();
    if (mode == "streams") return streams();
    if (mode == "calculator") return calculator();
    if (mode == "maze" && argc > 2) return maze(argv[2]);
    if (mode == "destructors") {
        static Global global;
        return 0;
    }
    std::cerr << "usage: cpp-command hello|containers|streams|calculator|maze FILE|destructors\n";
    return 1;
}
