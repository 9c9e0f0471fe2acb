/* Publications: a generation takes the place of the one before at once, and what other incidents
 * and other notices published stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "incident/publication.h"

enum { PATH_ROOM = 256 };
static const uint8_t secret[32] = {1};
static const struct policy_controller controller = {.name = "A & B", .dpo_name = "D. Officer"};
static const char *const languages[] = {"en", "fr"};
static const struct publication_issue issues[] = {
    {"default", "en", "First subject", "First opening", "a@b.example", "A & B"},
    {"default", "fr", "Second subject", "Second opening", "a@b.example", "A & B"},
};
static char base[] = "/tmp/cofferdam-publication-XXXXXX", folder[PATH_ROOM];
static int64_t now_ns = INT64_C(1795608000000000000);

static int make_folder(void **state)
{
    snprintf(folder, sizeof folder, "%s/site", mkdtemp(base));
    umask(077); /* as an administrator's may be: the portal reads it all the same */
    return 0;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    return remove(path);
}

static int remove_folder(void **state)
{
    return nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static enum status publish(uint32_t incident, uint32_t notice, size_t marks, const char *data,
                           struct error *error)
{
    struct mark_record records[10] = {0};
    uint32_t first = notice * PUBLICATION_ISSUES_A_NOTICE;
    for (size_t i = 0; i < marks; i++) {
        uint8_t number[3] = {(uint8_t)incident, (uint8_t)notice, (uint8_t)i};
        memcpy(records[i].mark, number, sizeof number);
        records[i].incident = incident;
        records[i].issue = first + i % 2;
    }
    struct publication publication = {.data_folder = data,
                                      .folder = folder,
                                      .controller = &controller,
                                      .secret = secret,
                                      .now_ns = now_ns++,
                                      .languages = languages,
                                      .language_count = 2,
                                      .incident = incident,
                                      .noticed_ns = now_ns,
                                      .issued_ns = now_ns,
                                      .issues = issues,
                                      .issue_count = 2,
                                      .first_issue = first,
                                      .marks = records,
                                      .mark_count = marks};
    return publication_write(&publication, error);
}

static void publish_well(uint32_t incident, uint32_t notice, size_t marks)
{
    struct error error = {0};
    if (publish(incident, notice, marks, SHARE, &error) != STATUS_OK)
        fail_msg("incident %u, notice %u: %s", incident, notice, error.message);
}

static void expect_marks(uint32_t incident, uint32_t notice, size_t expected)
{
    char path[PATH_ROOM + 16];
    struct mark_file file;
    struct mark_record record;
    size_t found = 0;
    snprintf(path, sizeof path, "%s/current", folder);
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    assert_int_equal(mark_file_open(fd, "marks", &file, NULL), STATUS_OK);
    close(fd);
    for (size_t i = 0; i < file.count; i++) {
        mark_file_get(&file, i, &record);
        found +=
            record.incident == incident && record.issue / PUBLICATION_ISSUES_A_NOTICE == notice;
    }
    mark_file_close(&file);
    if (found != expected)
        fail_msg("incident %u, notice %u: %zu marks, not %zu", incident, notice, found, expected);
}

static void expect_page(const char *name, const char *words, bool expected)
{
    char path[2 * PATH_ROOM];
    struct buffer page;
    buffer_init(&page, 1024 * 1024);
    snprintf(path, sizeof path, "%s/current/default/%s", folder, name);
    bool found = file_exists(path) && file_read(path, &page, NULL) == STATUS_OK &&
                 strstr(buffer_text(&page), words) != NULL;
    buffer_free(&page);
    if (found != expected)
        fail_msg("%s: \"%s\" %s", name, words, found ? "is there" : "is missing");
}

static void publishes_an_incident(void **state)
{
    publish_well(1, 1, 5);
    expect_marks(1, 1, 5);
    expect_page("en/index.html", "First subject", true);
    expect_page("en/index.html", "<title>What happened – A &amp; B</title>", true);
    expect_page("fr/index.html", "D. Officer", true);
    expect_page("en/issue-1-1000.html", "First opening", true);
    expect_page("fr/issue-1-1001.html", "Second opening", true);
    expect_page("en/issue-1-1002.html", "", false);
}

static void keeps_what_others_published(void **state)
{
    publish_well(2, 1, 3);
    publish_well(1, 2, 4); /* a second notice of the first incident */
    expect_marks(1, 1, 5);
    expect_marks(1, 2, 4);
    expect_marks(2, 1, 3);
    expect_page("en/issue-1-1000.html", "First opening", true);
    expect_page("en/issue-1-2001.html", "Second opening", true);
    expect_page("en/issue-2-1000.html", "First opening", true);
    publish_well(1, 2, 1); /* published again: takes its own place alone */
    expect_marks(1, 1, 5);
    expect_marks(1, 2, 1);
    expect_marks(2, 1, 3);
}

static unsigned folders_in_site(void)
{
    unsigned count = 0;
    DIR *site = opendir(folder);
    assert_non_null(site);
    for (struct dirent *entry; (entry = readdir(site)) != NULL;)
        count += strncmp(entry->d_name, "g-", 2) == 0 || strncmp(entry->d_name, ".g-", 3) == 0;
    closedir(site);
    return count;
}

static void a_failure_changes_nothing(void **state)
{
    struct error error = {0};
    assert_int_not_equal(publish(3, 1, 3, "/nonexistent", &error), STATUS_OK);
    expect_marks(3, 1, 0);
    expect_marks(1, 1, 5);
    assert_int_equal(folders_in_site(), 2); /* the current one and the one before */
}

static int readable(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    unsigned wanted = type == FTW_D ? 0755 : 0644;
    if (type != FTW_SL && (about->st_mode & 0777) != wanted)
        fail_msg("%s has mode %o, not %o", path, about->st_mode & 0777, wanted);
    return 0;
}

static void another_user_can_read_it(void **state)
{
    assert_int_equal(nftw(folder, readable, 8, FTW_PHYS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publishes_an_incident),
        cmocka_unit_test(keeps_what_others_published),
        cmocka_unit_test(a_failure_changes_nothing),
        cmocka_unit_test(another_user_can_read_it),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
