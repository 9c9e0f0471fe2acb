/* cofferdam-policy(5) holds what it says: its example loads, and it names every category and
 * built-in mask that the loader takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "fixture.h"

static struct buffer page;

static int read_page(void **state)
{
    struct error error = {0};
    buffer_init(&page, 1024 * 1024);
    if (file_read(MANUAL, &page, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return buffer_text(&page) == NULL;
}

static int free_page(void **state)
{
    buffer_free(&page);
    return 0;
}

static void its_example_loads(void **state)
{
    static const char head[] = ".Sh EXAMPLES\n.Bd -literal\n";
    const char *start = strstr(buffer_text(&page), head);
    assert_non_null(start);
    start += sizeof head - 1;
    const char *end = strstr(start, ".Ed");
    assert_non_null(end);
    char *example = strndup(start, (size_t)(end - start));
    const struct policy *policy = fixture_load(example);
    free(example);
    const struct policy_dataset *visit = policy_find_dataset(policy, "service_visit");
    assert_non_null(visit);
    assert_string_equal(visit->subjects[0].key, "owner_id");
    assert_non_null(policy_find_agent(policy, "north-mail.sync", NULL));
    policy_release(policy);
}

static bool mentioned(const char *word)
{
    size_t len = strlen(word);
    for (const char *at = buffer_text(&page); (at = strstr(at, word)) != NULL; at += len)
        if (at[-1] == ' ' && (at[len] == ' ' || at[len] == '\n'))
            return true;
    return false;
}

static void it_names_every_word(void **state)
{
    for (const char *const *word = policy_categories; *word != NULL; word++)
        if (!mentioned(*word))
            fail_msg("category %s is not in the manual", *word);
    for (const char *const *word = policy_builtin_masks; *word != NULL; word++)
        if (!mentioned(*word))
            fail_msg("mask %s is not in the manual", *word);
    assert_false(mentioned("no_such_word"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_example_loads),
        cmocka_unit_test(it_names_every_word),
    };
    return cmocka_run_group_tests(tests, read_page, free_page);
}
