/* Writing of a generation: first the parts of the incident at hand, then every page from the parts
 * of all incidents, marks and description last. One thread. */
#include "incident/publication_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "crypto/request_box.h"

enum { ARENA_BYTES = 64 * 1024 * 1024 };

void publication_mark_key(const uint8_t secret[static 32], uint8_t key[static 32])
{
    struct slice label = slice_of_text("cofferdam mark key 1");
    crypto_hmac_sha256(slice_of(secret, 32), &label, 1, key);
}

/* ---- what was published before ---- */

static enum status copy_part(struct writing *writing, const char *name, struct error *error)
{
    const char *from =
        arena_printf(&writing->arena, "%s/parts/%s", writing->generation.previous, name);
    const char *to = arena_printf(&writing->arena, "parts/%s", name);
    struct buffer bytes;
    if (from == NULL || to == NULL)
        return STATUS_NOMEM;
    buffer_init(&bytes, PUBLICATION_FILE_BYTES);
    enum status status = file_read(from, &bytes, error);
    if (status == STATUS_OK)
        status = generation_put(&writing->generation, to, buffer_slice(&bytes), error);
    buffer_free(&bytes);
    return status;
}

static enum status add_incident(struct writing *writing, uint32_t incident, struct error *error)
{
    size_t at = 0;
    while (at < writing->incident_count && writing->incidents[at] > incident)
        at++;
    if (at < writing->incident_count && writing->incidents[at] == incident)
        return STATUS_OK;
    if (writing->incident_count == INCIDENTS_MOST)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "at most %d incidents are published",
                         INCIDENTS_MOST);
    memmove(writing->incidents + at + 1, writing->incidents + at,
            (writing->incident_count - at) * sizeof *writing->incidents);
    writing->incidents[at] = incident;
    writing->incident_count++;
    return STATUS_OK;
}

static enum status add_issue(struct writing *writing, uint32_t incident, uint32_t issue,
                             struct error *error)
{
    for (size_t i = 0; i < writing->published_count; i++) {
        if (writing->issues[i].incident == incident && writing->issues[i].issue == issue)
            return STATUS_OK;
    }
    if (writing->published_count == ISSUES_MOST)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "at most %d messages are published",
                         ISSUES_MOST);
    writing->issues[writing->published_count++] = (struct published_issue){incident, issue};
    return STATUS_OK;
}

/* What this publication replaces: the incident's index, and the issues of the same notice. */
static bool is_replaced(const struct publication *about, uint32_t incident, bool has_issue,
                        uint32_t issue)
{
    return incident == about->incident &&
           (!has_issue || (issue >= about->first_issue &&
                           issue - about->first_issue < PUBLICATION_ISSUES_A_NOTICE));
}

static enum status keep_part(struct writing *writing, const char *name, struct error *error)
{
    uint32_t incident, issue = 0;
    if (sscanf(name, "%" SCNu32 "-", &incident) != 1)
        return STATUS_OK;
    bool has_issue = sscanf(name, "%" SCNu32 "-issue-%" SCNu32 ".", &incident, &issue) == 2;
    if (is_replaced(writing->about, incident, has_issue, issue))
        return STATUS_OK;
    TRY(has_issue ? add_issue(writing, incident, issue, error)
                  : add_incident(writing, incident, error));
    return copy_part(writing, name, error);
}

static enum status keep_others(struct writing *writing, struct error *error)
{
    if (writing->generation.previous == NULL)
        return STATUS_OK;
    const char *path = arena_printf(&writing->arena, "%s/parts", writing->generation.previous);
    DIR *folder = path == NULL ? NULL : opendir(path);
    if (folder == NULL)
        return error_set_errno(error, errno, "cannot read what was published before");
    enum status status = STATUS_OK;
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(folder)) != NULL;)
        status = keep_part(writing, entry->d_name, error);
    closedir(folder);
    return status;
}

/* ---- marks and description ---- */

/* The marks that stay behind the new ones; *records is allocated. */
static enum status gather_marks(struct writing *writing, struct mark_record **records,
                                size_t *count, struct error *error)
{
    const struct publication *about = writing->about;
    struct mark_file before = {0};
    if (writing->generation.previous != NULL) {
        int folder = open(writing->generation.previous, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
            return error_set_errno(error, errno, "cannot read what was published before");
        enum status status = mark_file_open(folder, "marks", &before, error);
        close(folder);
        TRY(status);
    }
    struct mark_record *all = calloc(about->mark_count + before.count + 1, sizeof *all);
    enum status status = all == NULL ? STATUS_NOMEM : STATUS_OK;
    if (status == STATUS_OK) {
        size_t filled = about->mark_count;
        if (filled > 0)
            memcpy(all, about->marks, filled * sizeof *all);
        for (size_t i = 0; i < before.count; i++) {
            mark_file_get(&before, i, &all[filled]);
            filled += !is_replaced(about, all[filled].incident, true, all[filled].issue);
        }
        *records = all;
        *count = filled;
    }
    mark_file_close(&before);
    return status;
}

static enum status put_marks(struct writing *writing, struct error *error)
{
    struct mark_record *records = NULL;
    size_t count = 0;
    TRY(gather_marks(writing, &records, &count, error));
    struct buffer bytes;
    buffer_init(&bytes, MARK_FILE_HEADER_BYTES + MARK_FILE_RECORD_BYTES * count);
    mark_file_build(records, count, &bytes);
    enum status status = bytes.overflowed ? STATUS_NOMEM
                                          : generation_put(&writing->generation, "marks",
                                                           buffer_slice(&bytes), error);
    buffer_free(&bytes);
    free(records);
    return status;
}

static enum status put_description(struct writing *writing, struct error *error)
{
    uint8_t private_key[32], public_key[32], mark_key[32];
    char hex[65];
    struct buffer text;
    buffer_init(&text, PUBLICATION_FILE_BYTES);
    request_box_keys(writing->about->secret, private_key, public_key);
    crypto_wipe(private_key, sizeof private_key);
    publication_mark_key(writing->about->secret, mark_key);
    crypto_hex(public_key, sizeof public_key, hex);
    buffer_printf(&text, "cofferdam-site 1\nqueue-key %s\n", hex);
    crypto_hex(mark_key, sizeof mark_key, hex);
    buffer_printf(&text, "mark-key %s\n", hex);
    for (size_t i = 0; i < writing->look_count; i++)
        buffer_printf(&text, "brand %s %s\n", writing->looks[i].name, writing->looks[i].host);
    for (size_t i = 0; i < writing->about->language_count; i++)
        buffer_printf(&text, "language %s\n", writing->about->languages[i]);
    enum status status = generation_put(&writing->generation, "site", buffer_slice(&text), error);
    buffer_free(&text);
    return status;
}

/* ---- all of it ---- */

/* The host of "https://meridian.example/privacy"; "-" where none is known. */
static const char *host_of(struct arena *arena, const char *page)
{
    static const char scheme[] = "https://";
    if (page == NULL)
        return "-";
    if (strncmp(page, scheme, sizeof scheme - 1) == 0)
        page += sizeof scheme - 1;
    size_t len = strcspn(page, ":/ ");
    return len == 0 ? "-" : arena_copy(arena, page, len);
}

static enum status find_looks(struct writing *writing, struct error *error)
{
    const struct policy_controller *controller = writing->about->controller;
    if (controller->brand_count > BRANDS_MOST || writing->about->language_count > LANGUAGES_MOST)
        return error_set(error, STATUS_LIMIT, "54000", NULL,
                         "the portal has at most %d brands and %d languages", BRANDS_MOST,
                         LANGUAGES_MOST);
    for (size_t i = 0; i < controller->brand_count; i++) {
        const struct policy_brand *brand = &controller->brands[i];
        const char *page =
            brand->privacy_page != NULL ? brand->privacy_page : controller->privacy_page;
        writing->looks[i] =
            (struct look){brand->name, brand->title != NULL ? brand->title : brand->name,
                          host_of(&writing->arena, page)};
    }
    writing->look_count = controller->brand_count;
    if (writing->look_count == 0)
        writing->looks[writing->look_count++] =
            (struct look){"default", controller->name != NULL ? controller->name : "",
                          host_of(&writing->arena, controller->privacy_page)};
    return writing->arena.overflowed ? STATUS_NOMEM : STATUS_OK;
}

static enum status load_words(struct writing *writing, struct error *error)
{
    for (size_t i = 0; i < writing->about->language_count; i++) {
        const char *path = arena_printf(&writing->arena, "%s/words/%s.yaml",
                                        writing->about->data_folder, writing->about->languages[i]);
        if (path == NULL)
            return STATUS_NOMEM;
        TRY(words_load(path, &writing->words[i], error));
    }
    return STATUS_OK;
}

static enum status write_all(struct writing *writing, struct error *error)
{
    TRY(find_looks(writing, error));
    TRY(load_words(writing, error));
    TRY(generation_begin(writing->about->folder, writing->about->now_ns, &writing->arena,
                         &writing->generation, error));
    TRY(publication_put_parts(writing, error));
    TRY(add_incident(writing, writing->about->incident, error));
    for (size_t i = 0; i < writing->about->issue_count; i++)
        TRY(add_issue(writing, writing->about->incident, writing->about->first_issue + (uint32_t)i,
                      error));
    TRY(keep_others(writing, error));
    TRY(publication_put_pages(writing, error));
    TRY(put_marks(writing, error));
    TRY(put_description(writing, error));
    return generation_finish(&writing->generation, error);
}

enum status publication_write(const struct publication *publication, struct error *error)
{
    CHECK(publication->language_count > 0 &&
          publication->issue_count <= PUBLICATION_ISSUES_A_NOTICE);
    struct writing *writing = calloc(1, sizeof *writing);
    if (writing == NULL)
        return STATUS_NOMEM;
    writing->about = publication;
    arena_init(&writing->arena, ARENA_BYTES);
    enum status status = write_all(writing, error);
    if (status != STATUS_OK)
        generation_abandon(&writing->generation);
    for (size_t i = 0; i < LANGUAGES_MOST; i++)
        words_free(writing->words[i]);
    arena_free(&writing->arena);
    free(writing);
    return status;
}
