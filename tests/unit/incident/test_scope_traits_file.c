/* Traits come back from their file as they were kept, and a changed file is told. */
#include "scope_scene.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "incident/scope_traits.h"

static const uint32_t numbers[] = {1, 2, 70000};

struct stage {
    struct scope_scene scene;
    struct scope *scope;
    char path[200];
};

static void make_stage(struct stage *stage)
{
    static const char *const brands[] = {"", "meridian", "two words"};
    scene_make(&stage->scene);
    scene_give(&stage->scene, &(struct given){.partner = "north",
                                              .columns = "c.n:clear:name\n",
                                              .time_ns = 1,
                                              .ids = numbers,
                                              .count = 3});
    struct scope_query query = scene_cut(&stage->scene, "north");
    stage->scope = scene_scope(&query);
    stage->scope->brands = brands;
    stage->scope->brand_count = 3;
    struct scope_person *people = stage->scope->private->people;
    people[0].flags |= SCOPE_CHILD | SCOPE_IN_WINDOW;
    people[1].brand = 2;
    people[2].flags |= SCOPE_GONE;
    people[2].brand = 1;
    snprintf(stage->path, sizeof stage->path, "%s/traits.1", stage->scene.folder.path);
}

static void end_stage(struct stage *stage)
{
    scope_close(stage->scope);
    scene_remove(&stage->scene);
}

static void forget_traits(struct scope *scope)
{
    static const char *const unknown[] = {""};
    for (size_t i = 0; i < scope->person_count; i++) {
        scope->private->people[i].flags &= (uint16_t)SCOPE_IN_WINDOW;
        scope->private->people[i].brand = 0;
    }
    scope->brands = unknown;
    scope->brand_count = 1;
    scope->private->kinds = scope->private->held = NULL;
    scope->private->kind_count = scope->private->held_count = 0;
}

static void traits_come_back(void **state)
{
    struct stage stage;
    struct error error = {0};
    make_stage(&stage);
    stage.scope->private->without = "no contact role: see cofferdam.yaml(5)";
    assert_status(scope_traits_store(stage.path, stage.scope->private, &error), STATUS_OK);
    forget_traits(stage.scope);
    stage.scope->private->without = NULL;
    if (scope_traits_load(stage.path, stage.scope->private, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    const struct scope *scope = stage.scope;
    assert_int_equal(scope->people[0].flags, SCOPE_CHILD | SCOPE_IN_WINDOW);
    assert_int_equal(scope->people[2].flags, SCOPE_GONE);
    assert_string_equal(scope->brands[scope->people[1].brand], "two words");
    assert_string_equal(scope->brands[scope->people[2].brand], "meridian");
    assert_string_equal(scope->brands[scope->people[0].brand], "");
    assert_string_equal(scope_kind(scope, 1), "enquirer");
    assert_int_equal(scope->private->held_count, 4);
    assert_string_equal(scope_without_traits(scope), "no contact role: see cofferdam.yaml(5)");
    end_stage(&stage);
}

/* Each change of one line must be found. */
static void a_changed_file_is_told(void **state)
{
    static const struct {
        const char *from, *to;
    } changes[] = {
        {"cofferdam traits 1", "cofferdam traits 2"},
        {"people 3", "people 4"},
        {"brand meridian", "brant meridian"},
        {"70000 16", "70001 16"},
        {"1 32 0", "1 33 0"},   /* a flag that does not come from here */
        {"2 0 2 0", "2 0 3 0"}, /* a brand that is not listed */
        {"16 1 0 0\n", "16 1 0\n"},
        {"16 1 0 0\n", "16 1 0 0\n5 0 0 0 0\n"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct stage stage;
        struct buffer bytes, changed;
        struct error error = {0};
        make_stage(&stage);
        assert_status(scope_traits_store(stage.path, stage.scope->private, &error), STATUS_OK);
        buffer_init(&bytes, 1 << 20);
        buffer_init(&changed, 1 << 20);
        assert_status(file_read(stage.path, &bytes, &error), STATUS_OK);
        const char *text = buffer_text(&bytes), *at = strstr(text, changes[i].from);
        if (at == NULL)
            fail_msg("no \"%s\" in\n%s", changes[i].from, text);
        buffer_append(&changed, text, (size_t)(at - text));
        buffer_append_text(&changed, changes[i].to);
        buffer_append_text(&changed, at + strlen(changes[i].from));
        assert_status(file_replace(stage.path, buffer_slice(&changed), 0600, &error), STATUS_OK);
        enum status status = scope_traits_load(stage.path, stage.scope->private, &error);
        if (status != STATUS_CORRUPT)
            fail_msg("\"%s\" for \"%s\": %s", changes[i].to, changes[i].from, status_name(status));
        buffer_free(&bytes);
        buffer_free(&changed);
        end_stage(&stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traits_come_back),
        cmocka_unit_test(a_changed_file_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
