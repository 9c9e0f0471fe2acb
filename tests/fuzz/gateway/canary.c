/* Fuzz target: a value that a statement names, looked up among invented people. Letter case and
 * what stands between letters and digits change nothing; and a value finds nobody by chance. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "base/check.h"
#include "gateway/trust/canary_watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VALUE_MOST = 1024 };

static const char *const values[] = {"anna.smith12@post.example", "+44 7700 900123",
                                     "Anna Maria Smith", "9f8e7d6c5b4a3921", "1979-03-31"};
enum { VALUES = sizeof values / sizeof values[0] };

/* One delivery of one person, whose values are all of one kind. */
static struct canary_watch *make_watch(void)
{
    static const struct delivery delivery = {.id = "D-1",
                                             .partner = "acme",
                                             .agent = "",
                                             .purpose = "",
                                             .by = "",
                                             .file = "",
                                             .format = "csv",
                                             .statement_sha256 = ""};
    struct canary_watch *watch = NULL;
    char folder[] = "/tmp/cofferdam-fuzz-XXXXXX", path[64];
    struct deliveries *file = NULL;
    struct error error;
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/deliveries.sqlite", folder);
    CHECK(deliveries_open(path, &file, &error) == STATUS_OK);
    CHECK(deliveries_add(file, &delivery, &error) == STATUS_OK);
    for (size_t i = 0; i < VALUES; i++) {
        const struct canary canary = {.delivery = "D-1",
                                      .row = 1,
                                      .column = "c",
                                      .source = "",
                                      .kind = "",
                                      .key = "",
                                      .form = "clear",
                                      .value = values[i],
                                      .is_invented = i + 1 < VALUES};
        CHECK(deliveries_add_canaries(file, &canary, 1, &error) == STATUS_OK);
    }
    CHECK(canary_watch_open(&watch, &error) == STATUS_OK);
    CHECK(canary_watch_load(watch, file, NULL, &error) == STATUS_OK);
    deliveries_close(file);
    CHECK(unlink(path) == 0 && rmdir(folder) == 0);
    return watch;
}

/* Letters and digits, in lower case; bytes of UTF-8 as they stand. */
static size_t plain_form(const uint8_t *data, size_t size, uint8_t *out)
{
    size_t len = 0;
    for (size_t i = 0; i < size; i++)
        if (isalnum(data[i]) || data[i] >= 0x80)
            out[len++] = (uint8_t)tolower(data[i]);
    return len;
}

/* May it be one of ours? A telephone number is known by its last digits. */
static bool may_be_ours(const uint8_t *data, size_t size)
{
    uint8_t plain[VALUE_MOST], other[64];
    size_t len = plain_form(data, size, plain);
    for (size_t i = 0; i < VALUES; i++) {
        size_t wanted = plain_form((const uint8_t *)values[i], strlen(values[i]), other);
        if (len == wanted && memcmp(plain, other, len) == 0)
            return true;
    }
    return len >= 9 && memcmp(plain + len - 9, "700900123", 9) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct canary_watch *watch;
    struct canary_look look = {.values = 0}, loud = {.values = 0};
    struct canary_sighting sighting;
    uint8_t other[2 * VALUE_MOST];
    if (watch == NULL)
        watch = make_watch();
    if (size > VALUE_MOST)
        return 0;
    canary_look_at(watch, &look, slice_of(data, size));
    CHECK(look.values == 1 && look.people_count <= 1);
    CHECK(look.people_count == 0 || may_be_ours(data, size));
    for (size_t i = 0; i < VALUES; i++)
        CHECK(size != strlen(values[i]) || memcmp(data, values[i], size) != 0 ||
              look.people_count == 1);
    CHECK(!canary_look_result(watch, &look, 1, &sighting));
    for (size_t i = 0; i < size; i++)
        other[i] = (uint8_t)toupper(data[i]);
    canary_look_at(watch, &loud, slice_of(other, size));
    CHECK(loud.people_count == look.people_count);
    return 0;
}
