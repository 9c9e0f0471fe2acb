/* Two phases compared: who came, what became more, and whose notice has to be corrected. */
#include "scope_scene.h"

#include <stdlib.h>
#include <string.h>

#define NAMES  "c.n:clear:name\n"
#define PHONES "c.p:clear:phone\n"
#define MASKED "c.p:masked:phone\n"
#define TOKENS "c.v:token:vin\n"
#define DAY_NS INT64_C(86400000000000)

static const uint32_t numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static void give(struct scope_scene *scene, const char *columns, uint8_t grade, size_t from,
                 size_t count)
{
    scene_give(scene, &(struct given){.partner = "north",
                                      .columns = columns,
                                      .grade = grade,
                                      .time_ns = DAY_NS,
                                      .ids = numbers + from,
                                      .count = count});
}

static char *diff_text(const struct scope *before, const struct scope *after)
{
    struct table table;
    struct buffer text;
    struct error error = {0};
    if (scope_diff(before, after, &table, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    buffer_init(&text, 1 << 20);
    for (const struct table_row *row = table.first; row != NULL; row = row->next)
        for (size_t i = 0; i < table.column_count; i++)
            buffer_printf(&text, "%s%c", row->cells[i] == NULL ? "-" : row->cells[i],
                          i + 1 < table.column_count ? '|' : '\n');
    table_free(&table);
    assert_non_null(buffer_text(&text));
    return (char *)text.data;
}

static bool grew(const struct scope *before, const struct scope *after, uint32_t id)
{
    const struct scope_person *person = scene_person(after, id);
    assert_non_null(person);
    return scope_grew(before, after, (size_t)(person - after->people));
}

static void the_same_phase_has_no_changes(void **state)
{
    struct scope_scene scene;
    scene_make(&scene);
    give(&scene, NAMES, SCOPE_DIRECT, 0, 3);
    struct scope_query query = scene_cut(&scene, "north");
    struct scope *scope = scene_scope(&query);
    char *text = diff_text(scope, scope);
    assert_string_equal(text, "people|customer|-|3|3\n");
    free(text);
    scope_close(scope);
    scene_remove(&scene);
}

/* 1 to 4 had their names told and 4 a clear phone. Then: 1 a phone, 2 a token, 3 a statistic, 4 the
 * phone masked; 5 is new. Only 1 was told too little. */
static void who_was_told_too_little_gets_a_corrected_notice(void **state)
{
    struct scope_scene scene;
    scene_make(&scene);
    give(&scene, NAMES, SCOPE_DIRECT, 0, 4);
    give(&scene, PHONES, SCOPE_DIRECT, 3, 1);
    struct scope_query query = scene_cut(&scene, "north");
    struct scope *before = scene_scope(&query);
    give(&scene, PHONES, SCOPE_DIRECT, 0, 1);
    give(&scene, TOKENS, SCOPE_DIRECT, 1, 1);
    give(&scene, PHONES, SCOPE_AGGREGATE, 2, 1);
    give(&scene, MASKED, SCOPE_DIRECT, 3, 1);
    give(&scene, NAMES, SCOPE_DIRECT, 4, 1);
    query = scene_cut(&scene, "north");
    struct scope *after = scene_scope(&query);
    assert_true(grew(before, after, 1));
    for (uint32_t id = 2; id <= 5; id++)
        if (grew(before, after, id))
            fail_msg("%u needs no corrected notice", id);
    char *text = diff_text(before, after);
    assert_string_equal(text, "people|customer|-|4|5\n"
                              "people added|customer|-|-|1\n"
                              "corrected notice|customer|more was told of them than before|-|1\n"
                              "category|customer|name (clear)|4|5\n"
                              "category|customer|phone (clear)|1|3\n"
                              "category|customer|phone (masked)|0|1\n"
                              "category|customer|vin (token)|0|1\n");
    free(text);
    text = diff_text(after, before);
    assert_non_null(strstr(text, "people removed|customer|-|1|-\n"));
    assert_non_null(strstr(text, "category|customer|vin (token)|1|0\n"));
    free(text);
    scope_close(before);
    scope_close(after);
    scene_remove(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_phase_has_no_changes),
        cmocka_unit_test(who_was_told_too_little_gets_a_corrected_notice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
