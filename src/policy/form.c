/* Loads a form through the policy's reader: strict keys, errors with line and column. Everything
 * lives in the arena behind the struct form that is handed out. */
#include "policy/form.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "policy/yaml.h"

enum { ARENA_BYTES = 4 * 1024 * 1024, MOST_CHARACTERS = 1000000 };

struct form_owned {
    struct form form; /* first */
    struct arena arena;
};

static void load_box(struct yaml *yaml, const struct yaml_items *item, struct form_box *box)
{
    box->label = item->name;
    if (yaml_is_list(item->value)) {
        box->of = yaml_texts(yaml, item->value, &box->of_count);
        return;
    }
    const char **word = yaml_array(yaml, const char *, 1);
    if (word == NULL)
        return;
    word[0] = yaml_text(yaml, item->value);
    box->of = word;
    box->of_count = 1;
    if (strcmp(word[0], "*") == 0)
        box->kind = FORM_BOX_REST;
    else if (strcmp(word[0], "?") == 0)
        box->kind = FORM_BOX_UNKNOWN;
    if (box->kind != FORM_BOX_OF)
        box->of_count = 0;
}

static void load_boxes(struct yaml *yaml, struct fy_node *node, struct form_question *question)
{
    struct yaml_items items = yaml_map_items(yaml, node);
    struct form_box *boxes = yaml_array(yaml, struct form_box, items.count);
    while (boxes != NULL && yaml_next(yaml, &items))
        load_box(yaml, &items, &boxes[question->box_count++]);
    question->boxes = boxes;
}

static void load_question(struct yaml *yaml, struct fy_node *node, struct form_question *question)
{
    static const char *const keys[] = {"ask",  "help",  "only", "say", "also",
                                       "tick", "boxes", "most", NULL};
    yaml_keys(yaml, node, keys);
    question->line = yaml_line(node);
    question->ask = yaml_need_text(yaml, node, "ask");
    question->help = yaml_text_at(yaml, node, "help", NULL);
    question->only = yaml_text_at(yaml, node, "only", NULL);
    question->say = yaml_texts(yaml, yaml_get(yaml, node, "say"), &question->say_count);
    question->also = yaml_texts(yaml, yaml_get(yaml, node, "also"), &question->also_count);
    question->tick = yaml_text_at(yaml, node, "tick", NULL);
    question->most_characters = (uint32_t)yaml_number_at(yaml, node, "most", 1, MOST_CHARACTERS, 0);
    struct fy_node *boxes = yaml_get(yaml, node, "boxes");
    if (boxes != NULL)
        load_boxes(yaml, boxes, question);
    if (!yaml_failed(yaml) && (question->tick != NULL) != (question->box_count > 0))
        yaml_fail(yaml, node, "tick says whose words tick the boxes",
                  "\"tick\" and \"boxes\" go together");
    if (question->say_count + question->also_count == 0 && question->tick == NULL)
        yaml_fail(yaml, node, "name a fact or a value under say, also or tick",
                  "nothing answers this question");
}

static void load_section(struct yaml *yaml, struct fy_node *node, struct form_section *section)
{
    static const char *const keys[] = {"title", "only", "questions", NULL};
    yaml_keys(yaml, node, keys);
    section->title = yaml_need_text(yaml, node, "title");
    section->only = yaml_text_at(yaml, node, "only", NULL);
    struct yaml_items items = yaml_list_items(yaml, yaml_need(yaml, node, "questions"));
    struct form_question *questions = yaml_array(yaml, struct form_question, items.count);
    while (questions != NULL && yaml_next(yaml, &items))
        load_question(yaml, items.value, &questions[section->question_count++]);
    section->questions = questions;
}

static void load_form(struct yaml *yaml, struct form *form)
{
    static const char *const keys[] = {"form", "sections", NULL};
    static const char *const form_keys[] = {
        "title", "authority", "jurisdiction", "where", "compared", "case_reference", NULL};
    struct fy_node *root = yaml_root(yaml);
    yaml_keys(yaml, root, keys);
    struct fy_node *head = yaml_need(yaml, root, "form");
    yaml_keys(yaml, head, form_keys);
    form->title = yaml_need_text(yaml, head, "title");
    form->authority = yaml_need_text(yaml, head, "authority");
    form->jurisdiction = yaml_need_text(yaml, head, "jurisdiction");
    form->where = yaml_need_text(yaml, head, "where");
    form->compared = yaml_text_at(yaml, head, "compared", NULL);
    form->case_reference = yaml_need_text(yaml, head, "case_reference");
    struct yaml_items items = yaml_list_items(yaml, yaml_need(yaml, root, "sections"));
    struct form_section *sections = yaml_array(yaml, struct form_section, items.count);
    while (sections != NULL && yaml_next(yaml, &items))
        load_section(yaml, items.value, &sections[form->section_count++]);
    form->sections = sections;
}

static enum status read_form(struct form_owned *owned, const char *path, struct slice text,
                             struct error *error)
{
    struct yaml yaml;
    yaml_open(&yaml, path, text, &owned->arena, error);
    load_form(&yaml, &owned->form);
    enum status status = yaml_finish(&yaml);
    yaml_close(&yaml);
    if (status != STATUS_OK)
        return status;
    uint8_t digest[CRYPTO_SHA256_BYTES];
    char version[2 * CRYPTO_SHA256_BYTES + 1];
    crypto_sha256(&text, 1, digest);
    crypto_hex(digest, sizeof digest, version);
    owned->form.version = arena_strdup(&owned->arena, version);
    owned->form.path = arena_strdup(&owned->arena, path);
    return owned->arena.overflowed
               ? error_set(error, STATUS_NOMEM, "53200", NULL, "no memory to load %s", path)
               : STATUS_OK;
}

enum status form_load(const char *path, struct form **form, struct error *error)
{
    struct buffer text;
    buffer_init(&text, YAML_FILE_BYTES);
    struct form_owned *owned = calloc(1, sizeof *owned);
    enum status status =
        owned == NULL ? error_set(error, STATUS_NOMEM, "53200", NULL, "no memory to load %s", path)
                      : file_read(path, &text, error);
    if (status == STATUS_OK) {
        arena_init(&owned->arena, ARENA_BYTES);
        status = read_form(owned, path, buffer_slice(&text), error);
    }
    buffer_free(&text);
    if (status == STATUS_OK)
        *form = &owned->form;
    else if (owned != NULL)
        form_free(&owned->form);
    return status;
}

void form_free(struct form *form)
{
    if (form == NULL)
        return;
    struct form_owned *owned = (struct form_owned *)form;
    arena_free(&owned->arena);
    free(owned);
}
