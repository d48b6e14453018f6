/* The calling side: a command in C that hands documents to an index of another component, written in Rust.
 *
 *   consumer FILE...              index the files and show the words that occur more than once
 *   consumer find PREFIX FILE...  show the words with a prefix
 *   consumer merge FILE FILE      two indexes into one; the handles of both are gone afterwards
 *   consumer bytes COUNT          the checksum of that many bytes, computed on the other side
 *   consumer handles COUNT        make and drop indexes */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer.h"

typedef wharf_composition_documents_own_index_t index_t;

static const char *const failures[] = {"there are no words in it", "its title is taken"};

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    size_t used = 0, room = 256;
    char *text = malloc(room);
    for (size_t got; (got = fread(text + used, 1, room - used - 1, file)) > 0;) {
        used += got;
        if (used + 1 == room) text = realloc(text, room *= 2);
    }
    text[used] = 0;
    fclose(file);
    return text;
}

static void add_file(index_t index, const char *path) {
    char *contents = read_file(path);
    consumer_string_t title, text;
    consumer_string_set(&title, path);
    consumer_string_set(&text, contents);
    uint32_t number;
    wharf_composition_documents_failure_t failure;
    if (wharf_composition_documents_method_index_add(wharf_composition_documents_borrow_index(index), &title, &text, &number, &failure))
        printf("document %u: %s\n", number, path);
    else
        printf("%s: %s\n", path, failures[failure]);
    free(contents);
}

static void show(index_t index, wharf_composition_documents_query_t query) {
    wharf_composition_documents_borrow_index_t borrowed = wharf_composition_documents_borrow_index(index);
    consumer_list_string_t titles;
    wharf_composition_documents_method_index_titles(borrowed, &titles);
    wharf_composition_documents_list_word_t words;
    wharf_composition_documents_method_index_find(borrowed, &query, &words);
    for (size_t at = 0; at < words.len; at++) {
        printf("%-12.*s %3u  in", (int)words.ptr[at].text.len, (char *)words.ptr[at].text.ptr, words.ptr[at].count);
        for (size_t in = 0; in < words.ptr[at].documents.len; in++) {
            consumer_string_t *title = &titles.ptr[words.ptr[at].documents.ptr[in]];
            printf(" %.*s", (int)title->len, (char *)title->ptr);
        }
        putchar('\n');
    }
    consumer_string_t longest;
    if (wharf_composition_documents_method_index_longest(borrowed, &longest)) {
        printf("longest: %.*s\n", (int)longest.len, (char *)longest.ptr);
        consumer_string_free(&longest);
    } else {
        puts("empty");
    }
    wharf_composition_documents_list_word_free(&words);
    consumer_list_string_free(&titles);
}

static int merge(const char *first, const char *second) {
    index_t into = wharf_composition_documents_constructor_index();
    index_t other = wharf_composition_documents_constructor_index();
    add_file(into, first);
    add_file(other, second);
    printf("alive: %u\n", wharf_composition_documents_alive());
    index_t merged;
    wharf_composition_documents_failure_t failure;
    bool done = wharf_composition_documents_static_index_merge(into, wharf_composition_documents_borrow_index(other), &merged, &failure);
    wharf_composition_documents_index_drop_own(other);
    if (done) {
        show(merged, (wharf_composition_documents_query_t){.tag = WHARF_COMPOSITION_DOCUMENTS_QUERY_ALL});
        wharf_composition_documents_index_drop_own(merged);
    } else {
        printf("not merged: %s\n", failures[failure]);
    }
    printf("alive: %u\n", wharf_composition_documents_alive());
    return !done;
}

static int checksum(size_t count) {
    consumer_list_u8_t bytes = {.ptr = malloc(count + 1), .len = count};
    for (size_t at = 0; at < count; at++) bytes.ptr[at] = (uint8_t)(at * 31 >> 3);
    printf("%016llx\n", (unsigned long long)wharf_composition_documents_checksum(&bytes));
    free(bytes.ptr);
    return 0;
}

static int handles(int count) {
    index_t *all = calloc(count, sizeof *all);
    for (int at = 0; at < count; at++) all[at] = wharf_composition_documents_constructor_index();
    printf("alive: %u\n", wharf_composition_documents_alive());
    for (int at = 0; at < count; at += 2) wharf_composition_documents_index_drop_own(all[at]);
    printf("alive: %u\n", wharf_composition_documents_alive());
    for (int at = 1; at < count; at += 2) wharf_composition_documents_index_drop_own(all[at]);
    printf("alive: %u\n", wharf_composition_documents_alive());
    free(all);
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fputs("usage: consumer FILE... | find PREFIX FILE... | merge FILE FILE | bytes COUNT | handles COUNT\n", stderr);
        return 1;
    }
    if (!strcmp(argv[1], "merge") && argc == 4) return merge(argv[2], argv[3]);
    if (!strcmp(argv[1], "bytes") && argc == 3) return checksum(strtoul(argv[2], NULL, 10));
    if (!strcmp(argv[1], "handles") && argc == 3) return handles(atoi(argv[2]));
    wharf_composition_documents_query_t query = {.tag = WHARF_COMPOSITION_DOCUMENTS_QUERY_AT_LEAST, .val.at_least = 2};
    int first = 1;
    if (!strcmp(argv[1], "find") && argc > 2) {
        query.tag = WHARF_COMPOSITION_DOCUMENTS_QUERY_PREFIX;
        consumer_string_set(&query.val.prefix, argv[2]);
        first = 3;
    }
    index_t index = wharf_composition_documents_constructor_index();
    for (int at = first; at < argc; at++) add_file(index, argv[at]);
    show(index, query);
    wharf_composition_documents_index_drop_own(index);
    return 0;
}
