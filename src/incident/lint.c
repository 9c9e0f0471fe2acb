/* Rules over blocks of words. Matching is without case, with ’ as ' and no-break spaces as spaces.
 * Invariant: a finding quotes the template's words and our own phrases, and never a person's. */
#include "incident/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "incident/reading_ease.h"

enum {
    PHRASES_BYTES = 512,
    FOLDED_BYTES = 64 * 1024,
    FINDINGS_BYTES = 4 * 1024 * 1024,
    QUOTED_BYTES = 60,
    PAIRS = 1 << 16
};

/* Words that a rule looks for, as they are compared. */
struct phrase {
    const char *key, *text; /* of the rules */
    char *folded;           /* owned */
};

struct phrases {
    const char *section;
    bool of_text; /* `folded` is of the text: phrases between bars; otherwise of the key */
    struct phrase *all;
    size_t count;
};

enum phrases_kind { PHRASES_HEDGES, PHRASES_ASKS, PHRASES_LINKS, PHRASES_MENTIONS, PHRASES_KINDS };

struct lint {
    struct words *rules;
    struct phrases phrases[PHRASES_KINDS];
    bool is_grade; /* lower is easier */
    double bound;
    size_t sentence_words;
};

/* What is being judged. */
struct judgement {
    const struct lint *lint;
    const char *name;
    const struct letter_person *person; /* NULL: categories are not judged */
    struct table *findings;
};

/* ---- loading ---- */

/* The text as it is compared: at most room bytes. */
static void fold(const char *text, char *folded, size_t room)
{
    size_t used = 0;
    while (*text != '\0' && used + 2 < room) {
        uint8_t byte = (uint8_t)*text, next = (uint8_t)text[1];
        if (byte >= 'A' && byte <= 'Z') {
            folded[used++] = (char)(byte + 'a' - 'A');
        } else if (byte == 0xC3 && next >= 0x80 && next <= 0x9E && next != 0x97) {
            folded[used++] = *text++;
            folded[used++] = (char)(next + 0x20); /* À to à */
        } else if (byte == 0xE2 && strncmp(text, "’", 3) == 0) {
            folded[used++] = '\'';
            text += 2;
        } else if (byte == 0xC2 && next == 0xA0) {
            folded[used++] = ' ';
            text++;
        } else {
            folded[used++] = (char)byte;
        }
        text++;
    }
    folded[used] = '\0';
}

/* The phrases of a section, folded once: a letter is judged by all of them, block by block. */
static enum status read_phrases(const struct words *rules, struct phrases *phrases,
                                struct error *error)
{
    size_t count = 0;
    while (words_key(rules, phrases->section, count) != NULL)
        count++;
    phrases->all = calloc(count + 1, sizeof phrases->all[0]);
    if (phrases->all == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (; phrases->count < count; phrases->count++) {
        struct phrase *phrase = &phrases->all[phrases->count];
        char folded[PHRASES_BYTES];
        phrase->key = words_key(rules, phrases->section, phrases->count);
        phrase->text = words_get(rules, phrases->section, phrase->key);
        fold(phrases->of_text ? phrase->text : phrase->key, folded, sizeof folded);
        phrase->folded = strdup(folded);
        if (phrase->folded == NULL)
            return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    }
    return STATUS_OK;
}

static enum status read_all_phrases(struct lint *lint, struct error *error)
{
    static const struct phrases sections[PHRASES_KINDS] = {
        [PHRASES_HEDGES] = {.section = "hedges"},
        [PHRASES_ASKS] = {.section = "asks"},
        [PHRASES_LINKS] = {.section = "links"},
        [PHRASES_MENTIONS] = {.section = "mentions", .of_text = true}};
    for (size_t i = 0; i < PHRASES_KINDS; i++) {
        lint->phrases[i] = sections[i];
        TRY(read_phrases(lint->rules, &lint->phrases[i], error));
    }
    return STATUS_OK;
}

static enum status read_limits(struct lint *lint, const char *path, struct error *error)
{
    const char *formula = words_get(lint->rules, "limits", "formula");
    const char *words = words_get(lint->rules, "limits", "sentence_words");
    lint->is_grade = formula != NULL && strcmp(formula, "flesch-kincaid") == 0;
    const char *bound = words_get(lint->rules, "limits", lint->is_grade ? "most" : "least");
    if (formula == NULL || words == NULL || bound == NULL ||
        (!lint->is_grade && strcmp(formula, "kandel-moles") != 0))
        return error_set(error, STATUS_INVALID, "22023",
                         "formula: flesch-kincaid with most, or kandel-moles with least; and "
                         "sentence_words",
                         "%s: section \"limits\" is not complete", path);
    lint->bound = strtod(bound, NULL);
    lint->sentence_words = (size_t)strtoul(words, NULL, 10);
    return STATUS_OK;
}

enum status lint_load(const char *path, struct lint **lint, struct error *error)
{
    struct lint *loaded = calloc(1, sizeof *loaded);
    if (loaded == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = words_load(path, &loaded->rules, error);
    if (status == STATUS_OK)
        status = read_limits(loaded, path, error);
    if (status == STATUS_OK)
        status = read_all_phrases(loaded, error);
    if (status == STATUS_OK)
        *lint = loaded;
    else
        lint_free(loaded);
    return status;
}

void lint_free(struct lint *lint)
{
    if (lint == NULL)
        return;
    for (size_t kind = 0; kind < PHRASES_KINDS; kind++) {
        for (size_t i = 0; i < lint->phrases[kind].count; i++)
            free(lint->phrases[kind].all[i].folded);
        free(lint->phrases[kind].all);
    }
    words_free(lint->rules);
    free(lint);
}

const char *lint_version(const struct lint *lint)
{
    return words_version(lint->rules);
}

/* ---- findings ---- */

void lint_table(struct table *findings)
{
    static const char *const columns[] = {"file", "line", "rule", "found", "pass", NULL};
    table_init(findings, FINDINGS_BYTES, columns);
}

void lint_find(struct table *findings, const char *name, int line, const char *rule,
               const char *pass, const char *format, ...)
{
    char found[200], number[16];
    va_list args;
    va_start(args, format);
    vsnprintf(found, sizeof found, format, args);
    va_end(args);
    snprintf(number, sizeof number, "%d", line);
    for (const struct table_row *row = findings->first; row != NULL; row = row->next)
        if (strcmp(row->cells[0], name) == 0 && strcmp(row->cells[1], number) == 0 &&
            strcmp(row->cells[2], rule) == 0 && strcmp(row->cells[3], found) == 0)
            return;
    struct table_row *row = table_add(findings);
    table_set(findings, row, 0, "%s", name);
    table_set(findings, row, 1, "%s", number);
    table_set(findings, row, 2, "%s", rule);
    table_set(findings, row, 3, "%s", found);
    table_set(findings, row, 4, "%s", pass);
}

/* ---- matching ---- */

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (uint8_t)c >= 0x80;
}

/* A block as it is compared, and which pairs of bytes stand in it: most phrases have one that does
 * not, and need no search. */
struct folded {
    char text[FOLDED_BYTES];
    uint8_t pairs[PAIRS / 8];
};

static size_t pair_at(const char *text)
{
    return (size_t)((uint8_t)text[0] << 8 | (uint8_t)text[1]);
}

static void note_pairs(struct folded *folded)
{
    memset(folded->pairs, 0, sizeof folded->pairs);
    for (const char *at = folded->text; at[0] != '\0' && at[1] != '\0'; at++)
        folded->pairs[pair_at(at) / 8] |= (uint8_t)(1U << pair_at(at) % 8);
}

static bool may_hold(const struct folded *folded, const char *phrase, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++)
        if ((folded->pairs[pair_at(phrase + i) / 8] >> pair_at(phrase + i) % 8 & 1) == 0)
            return false;
    return true;
}

/* Where the phrase stands in the folded text, as whole words; NULL: nowhere. */
static const char *find_phrase(const char *text, const char *phrase, size_t len)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at != *phrase || strncmp(at, phrase, len) != 0)
            continue;
        bool begins = at == text || !is_word_byte(phrase[0]) || !is_word_byte(at[-1]);
        bool ends = !is_word_byte(phrase[len - 1]) || !is_word_byte(at[len]);
        if (begins && ends)
            return at;
    }
    return NULL;
}

/* Is there a word of negation in the sentence around a place in the text? */
static bool is_negated(const struct lint *lint, const char *text, const char *at)
{
    const char *from = at, *to = at;
    while (from > text && !(strchr(".!?", from[-1]) != NULL && *from == ' '))
        from--;
    while (*to != '\0' && !(strchr(".!?", *to) != NULL && (to[1] == ' ' || to[1] == '\0')))
        to++;
    char sentence[2048];
    snprintf(sentence, sizeof sentence, "%.*s", (int)(to - from), from);
    const char *words = words_get(lint->rules, "negations", "words");
    while (words != NULL && *words != '\0') {
        size_t len = strcspn(words, " ");
        if (find_phrase(sentence, words, len) != NULL)
            return true;
        words += len + strspn(words + len, " ");
    }
    return false;
}

/* ---- rules ---- */

static void check_phrases(const struct judgement *judgement, const struct block *block,
                          const struct folded *folded, enum phrases_kind kind, bool negation_passes)
{
    const struct lint *lint = judgement->lint;
    const struct phrases *phrases = &lint->phrases[kind];
    for (size_t i = 0; i < phrases->count; i++) {
        const struct phrase *phrase = &phrases->all[i];
        size_t len = strlen(phrase->folded);
        const char *at = may_hold(folded, phrase->folded, len)
                             ? find_phrase(folded->text, phrase->folded, len)
                             : NULL;
        if (at == NULL || (negation_passes && is_negated(lint, folded->text, at)))
            continue;
        lint_find(judgement->findings, judgement->name, block->line, phrases->section, phrase->text,
                  "\"%s\"", phrase->key);
    }
}

static bool is_taken(const struct letter_person *person, const char *category)
{
    for (size_t i = 0; i < person->taken_count; i++)
        if (strcmp(person->taken[i].name, category) == 0)
            return true;
    return false;
}

/* Lists of what was not lost name what is not the person's own, and so do refusals to ask. */
static void check_mentions(const struct judgement *judgement, const struct block *block,
                           const struct folded *folded)
{
    const struct lint *lint = judgement->lint;
    if (judgement->person == NULL ||
        (block->list != NULL &&
         (strcmp(block->list, "elsewhere") == 0 || strcmp(block->list, "not_held") == 0)))
        return;
    const struct phrases *mentions = &lint->phrases[PHRASES_MENTIONS];
    for (size_t i = 0; i < mentions->count; i++) {
        const char *category = mentions->all[i].key;
        if (is_taken(judgement->person, category))
            continue;
        for (const char *phrase = mentions->all[i].folded; *phrase != '\0';) {
            size_t len = strcspn(phrase, "|");
            const char *at =
                may_hold(folded, phrase, len) ? find_phrase(folded->text, phrase, len) : NULL;
            if (at != NULL && !is_negated(lint, folded->text, at))
                lint_find(judgement->findings, judgement->name, block->line, "category",
                          "put it between {if CATEGORY} and {end}, or name it in a list",
                          "\"%.*s\" is said to a person whose %s is not in the scope", (int)len,
                          phrase, category);
            phrase += len + (phrase[len] == '|');
        }
    }
}

static void check_sentences(const struct judgement *judgement, const struct block *block)
{
    struct reading_counts counts = {0};
    reading_count(block->text, &counts);
    if (counts.longest <= judgement->lint->sentence_words)
        return;
    size_t quoted = counts.longest_bytes < QUOTED_BYTES ? counts.longest_bytes : QUOTED_BYTES;
    while (quoted > 0 && counts.longest_at[quoted] != ' ' && counts.longest_at[quoted] != '\0')
        quoted--;
    char pass[64];
    snprintf(pass, sizeof pass, "at most %zu words a sentence", judgement->lint->sentence_words);
    lint_find(judgement->findings, judgement->name, block->line, "sentence", pass,
              "%zu words: \"%.*s …\"", counts.longest, (int)quoted, counts.longest_at);
}

/* Our own phrases for categories are fixed, and their lists would make any text look short. */
static bool is_phrase(const struct block *block)
{
    return block->list != NULL &&
           (strcmp(block->list, "taken") == 0 || strcmp(block->list, "elsewhere") == 0 ||
            strcmp(block->list, "not_held") == 0);
}

double lint_ease(const struct lint *lint, const struct document *document)
{
    struct reading_counts counts = {0};
    for (size_t i = 0; i < document->count; i++)
        if (document->blocks[i].kind != BLOCK_HEADING && !is_phrase(&document->blocks[i]))
            reading_count(document->blocks[i].text, &counts);
    return lint->is_grade ? reading_flesch_kincaid(&counts) : reading_kandel_moles(&counts);
}

static void check_ease(const struct judgement *judgement, const struct document *document)
{
    const struct lint *lint = judgement->lint;
    double ease = lint_ease(lint, document);
    if (document->count == 0 || (lint->is_grade ? ease <= lint->bound : ease >= lint->bound))
        return;
    char pass[96];
    snprintf(pass, sizeof pass, "%s %.0f: shorter sentences, shorter words",
             lint->is_grade ? "a grade of at most" : "a score of at least", lint->bound);
    lint_find(judgement->findings, judgement->name, document->blocks[0].line, "reading ease", pass,
              "%s %.1f", lint->is_grade ? "Flesch-Kincaid grade" : "Kandel-Moles score", ease);
}

static void judge_block(const struct judgement *judgement, const struct block *block)
{
    struct folded *folded = malloc(sizeof *folded);
    if (folded == NULL) {
        lint_find(judgement->findings, judgement->name, block->line, "memory", "try again",
                  "there was no memory to judge this");
        return;
    }
    fold(block->text, folded->text, sizeof folded->text);
    note_pairs(folded);
    check_phrases(judgement, block, folded, PHRASES_HEDGES, false);
    if (!is_phrase(block))
        check_phrases(judgement, block, folded, PHRASES_ASKS, true);
    check_phrases(judgement, block, folded, PHRASES_LINKS, false);
    check_mentions(judgement, block, folded);
    if (!is_phrase(block))
        check_sentences(judgement, block);
    free(folded);
}

static void judge(const struct judgement *judgement, const struct document *document)
{
    for (size_t i = 0; i < document->count; i++)
        judge_block(judgement, &document->blocks[i]);
    check_ease(judgement, document);
}

void lint_document(const struct lint *lint, const char *name, const struct document *document,
                   struct table *findings)
{
    struct judgement judgement = {lint, name, NULL, findings};
    judge(&judgement, document);
}

/* ---- plain texts ---- */

/* blocks: room for one a line. */
static struct document split_text(char *text, struct block *blocks)
{
    struct document document = {blocks, 0};
    bool fresh = true;
    char *save = text;
    for (int number = 1; save != NULL; number++) {
        char *line = save;
        save = strchr(line, '\n');
        if (save != NULL)
            *save++ = '\0';
        bool item = strncmp(line, "- ", 2) == 0;
        if (line[strspn(line, " \t\r")] == '\0') {
            fresh = true;
        } else if (fresh || item) {
            blocks[document.count++] = (struct block){.kind = item ? BLOCK_ITEM : BLOCK_PARAGRAPH,
                                                      .text = item ? line + 2 : line,
                                                      .section = "",
                                                      .line = number};
            fresh = false;
        } else {
            line[-1] = ' '; /* continues the block above: its terminator */
        }
    }
    return document;
}

enum status lint_text(const struct lint *lint, const char *name, const char *text,
                      struct table *findings, struct error *error)
{
    size_t lines = 1;
    for (const char *at = text; *at != '\0'; at++)
        lines += *at == '\n';
    struct block *blocks = calloc(lines, sizeof *blocks);
    char *copy = strdup(text);
    if (blocks == NULL || copy == NULL || strlen(text) >= FOLDED_BYTES) {
        free(blocks);
        free(copy);
        return error_set(error, STATUS_LIMIT, "54000", NULL, "%s: the text is too long", name);
    }
    struct document document = split_text(copy, blocks);
    lint_document(lint, name, &document, findings);
    free(blocks);
    free(copy);
    return STATUS_OK;
}

/* ---- letters ---- */

static bool says(const struct document *body, const char *wanted)
{
    for (size_t i = 0; i < body->count; i++)
        if (strstr(body->blocks[i].text, wanted) != NULL)
            return true;
    return false;
}

/* What every letter must hold, where there is one. */
static void check_presence(const struct judgement *judgement, const struct document *body,
                           const struct letter_case *about)
{
    const struct letter_person *person = judgement->person;
    const struct {
        const char *what, *value, *pass;
    } needed[] = {
        {"the reference", person->reference, "{reference}"},
        {"the data protection officer", about->dpo_name, "{dpo_name}"},
        {"the officer's telephone number", about->dpo_phone, "{dpo_phone}"},
        {"the officer's address", about->dpo_email, "{dpo_email}"},
        {"the address of the privacy page", about->privacy_page, "{privacy_page}"},
    };
    int line = body->count == 0 ? 1 : body->blocks[body->count - 1].line;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (needed[i].value != NULL && needed[i].value[0] != '\0' && !says(body, needed[i].value))
            lint_find(judgement->findings, judgement->name, line, "missing", needed[i].pass, "%s",
                      needed[i].what);
    if (about->dpo_phone == NULL && about->dpo_email == NULL && about->dpo_post == NULL)
        lint_find(judgement->findings, judgement->name, line, "missing",
                  "controller: dpo: in the policy",
                  "no way to reach the data protection officer is known");
    size_t named = 0;
    for (size_t i = 0; i < body->count; i++)
        named += body->blocks[i].list != NULL && strcmp(body->blocks[i].list, "taken") == 0;
    if (named != person->taken_count)
        lint_find(judgement->findings, judgement->name, line, "missing",
                  "{each taken} … {item} … {end}, once",
                  "the person's categories are named %zu times instead of %zu", named,
                  person->taken_count);
}

void lint_letter(const struct lint *lint, const char *name, const char *subject,
                 const struct document *body, const struct letter_case *about,
                 const struct letter_person *person, struct table *findings)
{
    struct judgement judgement = {lint, name, person, findings};
    if (subject != NULL) {
        struct block block = {
            .kind = BLOCK_HEADING, .text = subject, .section = "subject", .line = 1};
        judge_block(&judgement, &block);
    }
    judge(&judgement, body);
    check_presence(&judgement, body, about);
}
