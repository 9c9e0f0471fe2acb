/* Checkpoints that are kept: the newest, and the newest that enough witnesses have cosigned. What
 * is no good signature of a witness, over this log and this size, counts for nothing. */
#include "folder.h"

#include <string.h>
#include <sys/stat.h>

#include "crypto/crypto.h"
#include "ledger/checkpoint.h"
#include "ledger/kept.h"
#include "ledger/segment.h"

enum { WITNESSES = 3 };

struct scene {
    struct test_folder folder;
    char origin[CHECKPOINT_ORIGIN_ROOM];
    struct note_signer signers[WITNESSES];
    struct note_key witnesses[WITNESSES];
};

static void scene_make(struct scene *scene)
{
    uint8_t log_id[CHECKPOINT_LOG_ID_BYTES];
    folder_make(&scene->folder);
    const struct ledger_options options = test_options(&scene->folder);
    ledger_close(open_ok(&options));
    assert_status(ledger_log_id(scene->folder.path, log_id, NULL), STATUS_OK);
    checkpoint_origin(log_id, scene->origin);
    for (size_t i = 0; i < WITNESSES; i++) {
        char name[32];
        snprintf(name, sizeof name, "witness%zu.example", i);
        note_signer_generate(name, &scene->signers[i]);
        note_key_make(name, NOTE_TYPE_COSIGNATURE, scene->signers[i].key.public_key,
                      &scene->witnesses[i]);
    }
}

static void cosign(const struct scene *scene, size_t witness, const char *text, struct buffer *out)
{
    enum { COSIGNED_AT = 1700000000 };
    char message[512], base64[128];
    uint8_t bytes[4 + 8 + 64];
    snprintf(message, sizeof message, "cosignature/v1\ntime %d\n%s", COSIGNED_AT, text);
    store_u32be(bytes, scene->witnesses[witness].id);
    store_u64be(bytes + 4, COSIGNED_AT);
    crypto_ed25519_sign(scene->signers[witness].seed, slice_of_text(message), bytes + 12);
    crypto_base64_encode(bytes, sizeof bytes, base64);
    buffer_printf(out, "\xe2\x80\x94 %s %s\n", scene->witnesses[witness].name, base64);
}

/* A kept checkpoint of `size`, whose text speaks of `said` entries of `origin`, cosigned by those
 * whose bit is set; over another text if forged. */
static void keep(const struct scene *scene, uint64_t size, uint64_t said, const char *origin,
                 unsigned who, bool forged)
{
    struct buffer text, note;
    char terminated[256];
    const struct checkpoint checkpoint = {.size = said};
    buffer_init(&text, 1024);
    buffer_init(&note, 4096);
    checkpoint_format(origin, &checkpoint, &text);
    snprintf(terminated, sizeof terminated, "%.*s%s", (int)text.len, (const char *)text.data,
             forged ? "x\n" : "");
    buffer_printf(&note, "%.*s\n", (int)text.len, (const char *)text.data);
    for (size_t i = 0; i < WITNESSES; i++)
        if ((who >> i & 1) != 0)
            cosign(scene, i, terminated, &note);
    assert_status(kept_store(scene->folder.path, size, buffer_slice(&note), true, NULL), STATUS_OK);
    buffer_free(&text);
    buffer_free(&note);
}

static enum status cosigned(const struct scene *scene, size_t quorum, uint64_t *size)
{
    return kept_cosigned(scene->folder.path, scene->witnesses, WITNESSES, quorum, size, NULL);
}

static void the_newest_that_enough_have_cosigned(void **state)
{
    struct scene scene;
    uint64_t size;
    scene_make(&scene);
    assert_status(cosigned(&scene, 1, &size), STATUS_NOT_FOUND);
    keep(&scene, 10, 10, scene.origin, 7, false);
    keep(&scene, 20, 20, scene.origin, 3, false);
    keep(&scene, 30, 30, scene.origin, 4, false);
    assert_status(cosigned(&scene, 3, &size), STATUS_OK);
    assert_int_equal(size, 10);
    assert_status(cosigned(&scene, 2, &size), STATUS_OK);
    assert_int_equal(size, 20);
    assert_status(cosigned(&scene, 1, &size), STATUS_OK);
    assert_int_equal(size, 30);
    assert_status(kept_newest(scene.folder.path, &size, NULL), STATUS_OK);
    assert_int_equal(size, 30);
    folder_remove(&scene.folder);
}

static void what_vouches_for_nothing(void **state)
{
    struct scene scene;
    uint64_t size;
    scene_make(&scene);
    keep(&scene, 10, 10, scene.origin, 1, false);
    keep(&scene, 40, 40, scene.origin, 7, true);  /* signatures over something else */
    keep(&scene, 50, 49, scene.origin, 7, false); /* put under another size's name */
    keep(&scene, 60, 60, "cofferdam/log/00000000000000000000000000000000", 7, false);
    assert_status(kept_store(scene.folder.path, 70, slice_of_text("no note\n"), true, NULL),
                  STATUS_OK);
    assert_status(cosigned(&scene, 1, &size), STATUS_OK);
    assert_int_equal(size, 10);
    assert_status(cosigned(&scene, 2, &size), STATUS_NOT_FOUND);
    folder_remove(&scene.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_that_enough_have_cosigned),
        cmocka_unit_test(what_vouches_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
