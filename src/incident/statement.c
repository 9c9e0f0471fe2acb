/* A statement's frame: texts, blocks, the list of claims. */
#include "incident/statement.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/check.h"
#include "incident/letter.h"
#include "incident/statement_draft.h"

static const char *const verdict_names[] = {"proved", "the provider's claim",
                                            "the company's own word", "refused"};

const char *statement_verdict_name(enum statement_verdict verdict)
{
    return verdict_names[verdict];
}

static void fail(struct drafting *drafting, enum status status, const char *hint,
                 const char *message)
{
    if (drafting->status == STATUS_OK)
        drafting->status = error_set(drafting->error, status, "22023", hint, "%s", message);
}

/* ---- texts ---- */

const char *draft_text(struct drafting *drafting, const char *section, const char *key)
{
    const char *text = words_get(drafting->of->texts, section, key);
    if (text == NULL)
        fail(drafting, STATUS_INVALID, "compare with share/statement/en.yaml",
             arena_printf(drafting->arena, "the statement's texts have no %s: %s", section, key));
    return text == NULL ? "" : text;
}

/* The value beside the name of len bytes; NULL where there is none. */
static const char *value_of(va_list args, const char *name, size_t len)
{
    const char *key;
    while ((key = va_arg(args, const char *)) != NULL) {
        const char *value = va_arg(args, const char *);
        if (strlen(key) == len && strncmp(key, name, len) == 0)
            return value;
    }
    return NULL;
}

const char *draft_fill(struct drafting *drafting, const char *section, const char *key, ...)
{
    const char *from = draft_text(drafting, section, key), *text = "";
    while (text != NULL && *from != '\0') {
        size_t plain = strcspn(from, "{");
        text = arena_printf(drafting->arena, "%s%.*s", text, (int)plain, from);
        from += plain;
        const char *end = *from == '{' ? strchr(from, '}') : NULL;
        if (*from == '{' && end != NULL) {
            va_list args;
            va_start(args, key);
            const char *value = value_of(args, from + 1, (size_t)(end - from - 1));
            va_end(args);
            if (value == NULL)
                fail(drafting, STATUS_INVALID, "compare with share/statement/en.yaml",
                     arena_printf(drafting->arena, "%s: %s asks for what is not there: %.*s",
                                  section, key, (int)(end - from + 1), from));
            text = arena_printf(drafting->arena, "%s%s", text, value == NULL ? "" : value);
            from = end + 1;
        } else if (*from == '{') {
            fail(drafting, STATUS_INVALID, NULL,
                 arena_printf(drafting->arena, "%s: %s has a { without }", section, key));
            break;
        }
    }
    return text == NULL ? "" : text;
}

const char *draft_date(struct drafting *drafting, int64_t time_ns)
{
    const char *date = "";
    if (drafting->status == STATUS_OK)
        drafting->status =
            letter_date(drafting->of->words, time_ns, drafting->arena, &date, drafting->error);
    return date;
}

const char *draft_instant(struct drafting *drafting, int64_t time_ns)
{
    char text[21];
    clock_format_utc(time_ns, text);
    return arena_strdup(drafting->arena, text);
}

const char *draft_word(struct drafting *drafting, const char *section, const char *name)
{
    const char *word = words_get(drafting->of->words, section, name);
    return word == NULL ? name : word;
}

const char *draft_list(struct drafting *drafting, const char *const *items, size_t count)
{
    const char *text = count > 0 ? items[0] : "";
    for (size_t i = 1; i < count && text != NULL; i++)
        text =
            arena_printf(drafting->arena, "%s%s%s", text,
                         draft_word(drafting, "lists", i + 1 == count ? "and" : "comma"), items[i]);
    return text == NULL ? "" : text;
}

/* ---- blocks and claims ---- */

static void add_block(struct drafting *drafting, enum block_kind kind, const char *text)
{
    if (drafting->status != STATUS_OK)
        return;
    const char *clean = document_clean(text, drafting->arena);
    if (drafting->block_count == DRAFT_BLOCKS || clean == NULL)
        fail(drafting, STATUS_LIMIT, NULL, "the statement is too long");
    else
        drafting->blocks[drafting->block_count++] = (struct block){.kind = kind, .text = clean};
}

void draft_heading(struct drafting *drafting, const char *key)
{
    drafting->heading = key;
}

void draft_item(struct drafting *drafting, const char *text)
{
    add_block(drafting, BLOCK_ITEM, text);
}

/* Texts of claims outlive the words and facts that they come from. */
static const char *keep(struct drafting *drafting, const char *text)
{
    return text == NULL ? NULL : arena_strdup(drafting->arena, text);
}

void draft_judge(struct drafting *drafting, const char *name, enum statement_verdict verdict,
                 const char *said, const char *evidence, const char *needed)
{
    if (drafting->claim_count == DRAFT_CLAIMS)
        fail(drafting, STATUS_LIMIT, NULL, "the statement makes too many claims");
    else
        drafting->claims[drafting->claim_count++] =
            (struct statement_claim){.name = name,
                                     .verdict = verdict,
                                     .said = keep(drafting, said),
                                     .evidence = keep(drafting, evidence),
                                     .needed = keep(drafting, needed)};
}

void draft_say(struct drafting *drafting, const char *name, enum statement_verdict verdict,
               const char *said, const char *evidence)
{
    if (drafting->heading != NULL) {
        add_block(drafting, BLOCK_HEADING, draft_text(drafting, "headings", drafting->heading));
        drafting->heading = NULL;
    }
    add_block(drafting, BLOCK_PARAGRAPH, said);
    draft_judge(drafting, name, verdict, said, evidence, NULL);
}

void draft_refuse(struct drafting *drafting, const char *name, const char *why, const char *needed)
{
    draft_judge(drafting, name, STATEMENT_REFUSED, NULL, why, needed);
}

/* ---- the whole ---- */

static void choose_brand(struct drafting *drafting)
{
    const struct scope *scope = drafting->brief->scope;
    drafting->brand = BRIEF_ALL;
    if (drafting->of->brand == NULL)
        return;
    for (size_t i = 1; i < scope->brand_count; i++)
        if (strcmp(scope->brands[i], drafting->of->brand) == 0)
            drafting->brand = (int)i;
    if (drafting->brand == BRIEF_ALL)
        fail(drafting, STATUS_NOT_FOUND, "a statement without --brand is about everybody",
             arena_printf(drafting->arena, "nobody of the brand \"%.60s\" is in the scope",
                          drafting->of->brand));
}

void draft_begin(struct drafting *drafting, const struct statement_case *of, struct arena *arena,
                 struct error *error)
{
    *drafting = (struct drafting){
        .of = of, .brief = of->brief, .arena = arena, .error = error, .brand = BRIEF_ALL};
    drafting->claims = arena_array(arena, struct statement_claim, DRAFT_CLAIMS);
    drafting->blocks = arena_array(arena, struct block, DRAFT_BLOCKS);
    if (drafting->claims == NULL || drafting->blocks == NULL) {
        fail(drafting, STATUS_NOMEM, NULL, "no memory for the statement");
        return;
    }
    choose_brand(drafting);
    if (drafting->status != STATUS_OK)
        return;
    brief_count(of->brief->scope, drafting->brand, &drafting->count);
    drafting->category_count =
        brief_categories(of->brief->scope, drafting->brand, arena, &drafting->categories);
}

enum status draft_end(const struct drafting *drafting, struct statement *statement)
{
    if (drafting->status != STATUS_OK)
        return drafting->status;
    if (drafting->arena->overflowed)
        return error_set(drafting->error, STATUS_NOMEM, "53200", NULL,
                         "no memory for the statement");
    statement->document =
        (struct document){.blocks = drafting->blocks, .count = drafting->block_count};
    statement->claims = drafting->claims;
    statement->claim_count = drafting->claim_count;
    return STATUS_OK;
}

/* The brand's title, as people know it. */
static const char *brand_title(const struct drafting *drafting)
{
    const struct policy_controller *controller = &drafting->brief->policy->controller;
    for (size_t i = 0; i < controller->brand_count; i++)
        if (strcmp(controller->brands[i].name, drafting->of->brand) == 0 &&
            controller->brands[i].title != NULL)
            return controller->brands[i].title;
    return drafting->of->brand;
}

static const char *make_title(struct drafting *drafting)
{
    const char *controller = drafting->brief->policy->controller.name;
    return drafting->of->brand != NULL
               ? draft_fill(drafting, "text", "title_brand", "brand", brand_title(drafting), NULL)
               : draft_fill(drafting, "text", "title", "controller",
                            controller == NULL ? "" : controller, NULL);
}

enum status statement_draft(const struct statement_case *of, struct arena *arena,
                            struct statement *statement, struct error *error)
{
    struct drafting drafting;
    struct statement drafted = {0};
    draft_begin(&drafting, of, arena, error);
    if (drafting.status != STATUS_OK)
        return drafting.status;
    drafted.title = make_title(&drafting);
    if (of->brief->incident.is_drill)
        drafted.title =
            arena_printf(arena, "%s %s", draft_text(&drafting, "text", "exercise"), drafted.title);
    add_block(&drafting, BLOCK_HEADING, drafted.title);
    add_block(&drafting, BLOCK_PARAGRAPH, draft_date(&drafting, of->brief->now_ns));
    claim_happened(&drafting);
    claim_information(&drafting);
    claim_doing(&drafting);
    claim_you(&drafting);
    TRY(draft_end(&drafting, &drafted));
    *statement = drafted;
    return STATUS_OK;
}
