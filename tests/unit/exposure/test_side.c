/* Side sections: pairs come back under their key, and nothing else does. */
#include "scene.h"

#include <string.h>

#include "crypto/crypto.h"
#include "exposure/side.h"

static struct seal_key make_key(uint64_t number)
{
    struct seal_key key = {.number = number};
    crypto_random(key.secret, sizeof key.secret);
    memcpy(key.mark, key.secret, sizeof key.mark);
    return key;
}

static enum status note(void *context, const struct side_pair *pair, struct error *error)
{
    struct buffer *text = context;
    buffer_printf(text, "%u:%u:%.*s ", pair->id, pair->kind, (int)pair->key.len, pair->key.data);
    return STATUS_OK;
}

static void sections_come_back_in_order(void **state)
{
    struct seal_key key = make_key(7);
    const struct side_pair pairs[] = {{1, 0, slice_of_text("alice")},
                                      {9, 2, slice_of_text("")},
                                      {4000000000u, 65534, slice_of_text("bob")}};
    struct buffer side, text;
    struct side_section section;
    struct error error = {0};
    buffer_init(&side, 4096);
    buffer_init(&text, 4096);
    assert_status(side_seal(&key, pairs, 2, &side, &error), STATUS_OK);
    assert_status(side_seal(&key, pairs + 2, 1, &side, &error), STATUS_OK);
    assert_null(memmem(side.data, side.len, "alice", 5));
    struct slice rest = buffer_slice(&side);
    while (side_next(&rest, &section) == STATUS_OK) {
        assert_int_equal(section.key_number, 7);
        assert_memory_equal(section.key_mark, key.mark, 8);
        assert_status(side_open(&section, &key, note, &text, &error), STATUS_OK);
    }
    assert_int_equal(rest.len, 0);
    assert_string_equal(buffer_text(&text), "1:0:alice 9:2: 4000000000:65534:bob ");
    buffer_free(&side);
    buffer_free(&text);
}

/* Any change makes it malformed, unopenable, or one of another key. */
static void no_byte_can_be_changed(void **state)
{
    struct seal_key key = make_key(7);
    const struct side_pair pairs[] = {{1, 0, slice_of_text("alice")}, {2, 0, slice_of_text("bob")}};
    struct buffer side, text;
    struct error error = {0};
    buffer_init(&side, 4096);
    buffer_init(&text, 4096);
    assert_status(side_seal(&key, pairs, 2, &side, &error), STATUS_OK);
    for (size_t at = 0; at < side.len; at++) {
        struct side_section section;
        struct slice rest = buffer_slice(&side);
        side.data[at] ^= 0x40;
        if (side_next(&rest, &section) == STATUS_OK && rest.len == 0 &&
            side_open(&section, &key, note, &text, &error) == STATUS_OK)
            fail_msg("a change at byte %zu was not noticed", at);
        side.data[at] ^= 0x40;
    }
    for (size_t len = 1; len < side.len; len++) {
        struct side_section section;
        struct slice rest = slice_of(side.data, len);
        assert_status(side_next(&rest, &section), STATUS_CORRUPT);
    }
    buffer_free(&side);
    buffer_free(&text);
}

static void a_full_side_is_a_limit(void **state)
{
    struct seal_key key = make_key(7);
    const struct side_pair pair = {1, 0, slice_of_text("alice")};
    struct buffer side;
    struct error error = {0};
    for (size_t limit = 0; limit < 65; limit++) {
        buffer_init(&side, limit);
        assert_status(side_seal(&key, &pair, 1, &side, &error), STATUS_LIMIT);
        buffer_free(&side);
    }
    buffer_init(&side, 65);
    assert_status(side_seal(&key, &pair, 1, &side, &error), STATUS_OK);
    assert_int_equal(side.len, 65);
    buffer_free(&side);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_come_back_in_order),
        cmocka_unit_test(no_byte_can_be_changed),
        cmocka_unit_test(a_full_side_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
