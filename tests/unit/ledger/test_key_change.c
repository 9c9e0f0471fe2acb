/* The chain of signing keys: what continues it, what is refused, and how far one key's word goes.
 */
#include "folder.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/key_change.h"

#define ORIGIN "cofferdam/log/00000000000000000000000000000001"

enum { KEYS = 4 };

struct scene {
    struct note_signer keys[KEYS];
    struct key_chain chain;
    struct buffer text;
};

static int open_scene(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    for (size_t i = 0; i < KEYS; i++)
        note_signer_generate(ORIGIN, &scene->keys[i]);
    key_chain_start(&scene->chain, ORIGIN);
    buffer_init(&scene->text, NOTE_BYTES_MAX);
    *state = scene;
    return 0;
}

static int close_scene(void **state)
{
    struct scene *scene = *state;
    buffer_free(&scene->text);
    free(scene);
    return 0;
}

static struct slice first(struct scene *scene, size_t key)
{
    struct key_change change = {.kind = KEY_CHANGE_FIRST, .new_key = scene->keys[key].key};
    buffer_clear(&scene->text);
    key_change_format(&change, NULL, &scene->keys[key], &scene->text);
    return buffer_slice(&scene->text);
}

static struct slice hand_over(struct scene *scene, size_t from, size_t to, uint64_t size)
{
    struct key_change change = {.kind = KEY_CHANGE_HAND_OVER,
                                .old_key = scene->keys[from].key,
                                .new_key = scene->keys[to].key,
                                .before = {.size = size, .root = {7}}};
    buffer_clear(&scene->text);
    key_change_format(&change, &scene->keys[from], &scene->keys[to], &scene->text);
    return buffer_slice(&scene->text);
}

static struct slice broken(struct scene *scene, size_t from, size_t to, const char *reason)
{
    struct key_change change = {.kind = KEY_CHANGE_BREAK,
                                .old_key = scene->keys[from].key,
                                .new_key = scene->keys[to].key,
                                .before = {.size = 1}};
    snprintf(change.reason, sizeof change.reason, "%s", reason);
    buffer_clear(&scene->text);
    key_change_format(&change, NULL, &scene->keys[to], &scene->text);
    return buffer_slice(&scene->text);
}

static void add(struct scene *scene, uint64_t sequence, struct slice text)
{
    struct error error = {0};
    if (key_chain_add(&scene->chain, sequence, 0, text, &error) != STATUS_OK)
        fail_msg("%s\n%.*s", error.message, (int)text.len, (const char *)text.data);
}

static void refuse(struct scene *scene, uint64_t sequence, struct slice text, const char *why)
{
    struct error error = {0};
    size_t before = scene->chain.count;
    enum status status = key_chain_add(&scene->chain, sequence, 0, text, &error);
    if (status != STATUS_CORRUPT || strstr(error.message, why) == NULL)
        fail_msg("%s: \"%s\", not \"%s\"", status_name(status), error.message, why);
    assert_int_equal(scene->chain.count, before);
}

static void what_is_written_is_read(void **state)
{
    struct scene *scene = *state;
    struct key_change change;
    struct slice text = hand_over(scene, 0, 1, 42);
    assert_status(key_change_read(text, ORIGIN, &change, NULL), STATUS_OK);
    assert_int_equal(change.kind, KEY_CHANGE_HAND_OVER);
    assert_true(note_key_equal(&change.old_key, &scene->keys[0].key));
    assert_true(note_key_equal(&change.new_key, &scene->keys[1].key));
    assert_int_equal(change.before.size, 42);
    assert_int_equal(change.before.root[0], 7);
    assert_status(key_change_read(broken(scene, 0, 1, "disk died"), ORIGIN, &change, NULL),
                  STATUS_OK);
    assert_string_equal(change.reason, "disk died");
    assert_status(key_change_read(first(scene, 0), ORIGIN, &change, NULL), STATUS_OK);
    assert_status(key_change_read(first(scene, 0), "cofferdam/log/other", &change, NULL),
                  STATUS_CORRUPT);
}

static void each_changed_byte_is_noticed(void **state)
{
    struct scene *scene = *state;
    struct key_change change;
    struct slice text = hand_over(scene, 0, 1, 42);
    uint8_t *bytes = scene->text.data;
    for (size_t at = 0; at < text.len; at++) {
        bytes[at] ^= 1;
        if (key_change_read(text, ORIGIN, &change, NULL) != STATUS_CORRUPT)
            fail_msg("byte %zu does not count", at);
        bytes[at] ^= 1;
    }
    for (size_t len = 0; len < text.len; len++)
        assert_status(key_change_read(slice_of(bytes, len), ORIGIN, &change, NULL), STATUS_CORRUPT);
}

/* A thief of the new key alone, or of the old one alone, hands over to nobody. */
static void a_hand_over_takes_both_signatures(void **state)
{
    struct scene *scene = *state;
    struct key_change change;
    for (size_t left_out = 0; left_out < 2; left_out++) {
        struct slice text = hand_over(scene, 0, 1, 42);
        struct note note;
        struct buffer cut;
        assert_status(note_parse(text, &note, NULL), STATUS_OK);
        assert_int_equal(note.count, 2);
        buffer_init(&cut, NOTE_BYTES_MAX);
        buffer_append(&cut, note.text.data, note.text.len);
        buffer_append_text(&cut, "\n");
        struct slice line = note.signatures[1 - left_out].line;
        buffer_append(&cut, line.data, line.len);
        assert_status(key_change_read(buffer_slice(&cut), ORIGIN, &change, NULL), STATUS_CORRUPT);
        buffer_free(&cut);
    }
}

static void a_chain_is_continued_by_its_last_key_only(void **state)
{
    struct scene *scene = *state;
    refuse(scene, 5, hand_over(scene, 0, 1, 4), "follows no first key");
    add(scene, 5, first(scene, 0));
    refuse(scene, 6, first(scene, 1), "for the second time");
    refuse(scene, 6, hand_over(scene, 1, 2, 4), "not in force");
    refuse(scene, 6, hand_over(scene, 0, 1, 7), "would hold the entry itself");
    add(scene, 6, hand_over(scene, 0, 1, 6));
    refuse(scene, 7, hand_over(scene, 0, 2, 6), "not in force");
}

static const struct note_key *key_at(const struct scene *scene, uint64_t size)
{
    const struct key_chain_link *link = key_chain_at(&scene->chain, size);
    return link == NULL ? NULL : &link->key;
}

static void each_size_has_one_key(void **state)
{
    struct scene *scene = *state;
    add(scene, 5, first(scene, 0));
    add(scene, 9, hand_over(scene, 0, 1, 9));
    assert_null(key_at(scene, 0));
    assert_null(key_at(scene, 5));
    assert_ptr_equal(key_at(scene, 6), &scene->chain.links[0].key);
    assert_ptr_equal(key_at(scene, 9), &scene->chain.links[0].key);
    assert_ptr_equal(key_at(scene, 10), &scene->chain.links[1].key);
    assert_ptr_equal(key_at(scene, UINT64_MAX), &scene->chain.links[1].key);
}

static void trust_ends_where_the_chain_is_broken(void **state)
{
    struct scene *scene = *state;
    static const size_t want[KEYS][2] = {{0, 2}, {0, 2}, {2, 4}, {2, 4}};
    struct note_signer stranger;
    size_t from, stop;
    add(scene, 0, first(scene, 0));
    add(scene, 1, hand_over(scene, 0, 1, 1));
    add(scene, 2, broken(scene, 1, 2, "lost"));
    add(scene, 3, hand_over(scene, 2, 3, 3));
    for (size_t i = 0; i < KEYS; i++) {
        assert_status(key_chain_follow(&scene->chain, &scene->keys[i].key, &from, &stop, NULL),
                      STATUS_OK);
        if (from != want[i][0] || stop != want[i][1])
            fail_msg("key %zu: [%zu, %zu), not [%zu, %zu)", i, from, stop, want[i][0], want[i][1]);
    }
    note_signer_generate(ORIGIN, &stranger);
    assert_status(key_chain_follow(&scene->chain, &stranger.key, &from, &stop, NULL),
                  STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(each_changed_byte_is_noticed, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_hand_over_takes_both_signatures, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_chain_is_continued_by_its_last_key_only, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(each_size_has_one_key, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(trust_ends_where_the_chain_is_broken, open_scene,
                                        close_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
