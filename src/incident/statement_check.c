/* Judges a statement that others wrote, clause by clause: a category is named, or denied where the
 * clause has a word of negation; certain phrases claim what needs evidence. Words come from
 * share/statement/LANGUAGE.yaml. It finds what such words say, and cannot understand the rest. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "incident/layout.h"
#include "incident/statement_draft.h"

enum { MOST_NAMED = 64, SHOWN_BYTES = 100 };

/* What a text says of one category. */
struct mention {
    const char *named, *denied; /* the clause; NULL: it does not */
};

struct checking {
    struct drafting drafting;
    const char *categories[MOST_NAMED]; /* as the section names has them */
    struct mention mentions[MOST_NAMED];
    size_t count;
};

/* ---- words ---- */

/* A line that only goes on: neither an empty one nor an item follows. */
static bool goes_on(const char *newline)
{
    size_t blank = 1 + strspn(newline + 1, " \t\r");
    return newline[blank] != '\n' && newline[blank] != '-' && newline[blank] != '*' &&
           newline[blank] != '\0';
}

/* Lower case, typographic apostrophes as ', no-break spaces and wrapped lines as spaces; same
 * length or shorter. */
static char *fold(const char *text, struct arena *arena)
{
    char *folded = arena_strdup(arena, text);
    size_t to = 0;
    for (size_t from = 0; folded != NULL && folded[from] != '\0'; to++) {
        if (strncmp(folded + from, "\u2019", 3) == 0) {
            folded[to] = '\'';
            from += 3;
        } else if (strncmp(folded + from, "\u202f", 3) == 0) {
            folded[to] = ' ';
            from += 3;
        } else if (strncmp(folded + from, "\u00a0", 2) == 0) {
            folded[to] = ' ';
            from += 2;
        } else if (folded[from] == '\n' && goes_on(folded + from)) {
            folded[to] = ' ';
            from++;
        } else {
            folded[to] = (char)tolower((unsigned char)folded[from++]);
        }
    }
    if (folded != NULL)
        folded[to] = '\0';
    return folded;
}

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* Does the word stand at text + at, alone? A word that ends in ' needs no edge behind it. */
static bool stands_at(const char *text, size_t at, const char *word, size_t len)
{
    return len > 0 && (at == 0 || !is_letter(text[at - 1]) || !is_letter(word[0])) &&
           strncmp(text + at, word, len) == 0 &&
           (word[len - 1] == '\'' || !is_letter(text[at + len]));
}

/* The next of words parted by "|", spaces around it cut; false at the end. */
static bool next_word(const char **list, const char **word, size_t *len)
{
    while (**list == ' ' || **list == '|')
        (*list)++;
    *word = *list;
    *len = strcspn(*list, "|");
    *list += *len;
    while (*len > 0 && (*word)[*len - 1] == ' ')
        (*len)--;
    return *len > 0;
}

/* Length of the longest of the words that stands there; 0: none. */
static size_t longest_at(const char *text, size_t at, const char *list)
{
    size_t longest = 0, len;
    const char *word;
    while (next_word(&list, &word, &len))
        if (len > longest && stands_at(text, at, word, len))
            longest = len;
    return longest;
}

static bool has_any(const char *text, const char *list)
{
    for (size_t at = 0; text[at] != '\0'; at++)
        if (longest_at(text, at, list) > 0)
            return true;
    return false;
}

/* ---- clauses ---- */

static const char *const parting[] = {".", "!", "?", ";", ":", "\n", " but ", " mais "};

/* Bytes to the end of the clause, and of what parts it from the next. A point within a word or
 * number (15.2, meridian.example) parts nothing. */
static size_t clause_len(const char *text, size_t *parted)
{
    for (size_t at = 0; text[at] != '\0'; at++)
        for (size_t i = 0; i < sizeof parting / sizeof parting[0]; i++) {
            size_t len = strlen(parting[i]);
            bool inside = parting[i][0] == '.' && text[at + 1] != '\0' && is_letter(text[at + 1]);
            if (strncmp(text + at, parting[i], len) == 0 && !inside) {
                *parted = len;
                return at;
            }
        }
    *parted = 0;
    return strlen(text);
}

static const char *shown(struct checking *checking, const char *clause)
{
    clause += strspn(clause, " -\t");
    return strlen(clause) <= SHOWN_BYTES
               ? clause
               : arena_printf(checking->drafting.arena, "%.*s…", SHOWN_BYTES, clause);
}

static void take_categories(struct checking *checking, const char *clause, bool denied)
{
    const struct words *texts = checking->drafting.of->texts;
    for (size_t at = 0; clause[at] != '\0';) {
        size_t longest = 0, category = 0;
        for (size_t i = 0; i < checking->count; i++) {
            size_t len = longest_at(clause, at, words_get(texts, "names", checking->categories[i]));
            if (len > longest) {
                longest = len;
                category = i;
            }
        }
        struct mention *mention = &checking->mentions[category];
        if (longest > 0 && denied && mention->denied == NULL)
            mention->denied = shown(checking, clause);
        if (longest > 0 && !denied && mention->named == NULL)
            mention->named = shown(checking, clause);
        at += longest > 0 ? longest : 1;
    }
}

/* ---- categories ---- */

static const struct brief_category *in_scope(const struct drafting *drafting, const char *name)
{
    for (size_t i = 0; i < drafting->category_count; i++)
        if (strcmp(drafting->categories[i].name, name) == 0 && drafting->categories[i].people > 0)
            return &drafting->categories[i];
    return NULL;
}

static const char *people_words(struct drafting *drafting, const struct brief_category *category)
{
    return arena_printf(
        drafting->arena, "%s people, %s", layout_number(category->people, ",", drafting->arena),
        (category->forms & BRIEF_CLEAR) != 0 ? "in clear" : "in part or in a coarser form only");
}

static void judge_named(struct drafting *drafting, const char *name, const char *clause)
{
    const struct brief_category *found = in_scope(drafting, name);
    const char *claim = arena_printf(drafting->arena, "names_%s", name);
    if (found != NULL)
        draft_judge(drafting, claim, STATEMENT_PROVED, clause, people_words(drafting, found), NULL);
    else
        draft_judge(drafting, claim, STATEMENT_REFUSED, clause,
                    "the scope has nobody of whom this was disclosed", "leave it out");
}

static void judge_denied(struct drafting *drafting, const char *name, const char *clause)
{
    const struct brief_category *found = in_scope(drafting, name);
    const char *claim = arena_printf(drafting->arena, "denies_%s", name);
    if (found != NULL)
        draft_judge(
            drafting, claim, STATEMENT_REFUSED, clause,
            arena_printf(drafting->arena, "it was disclosed: %s", people_words(drafting, found)),
            "say that it was");
    else if (!draft_is_never(drafting, name))
        draft_judge(drafting, claim, STATEMENT_REFUSED, clause,
                    "entries of the partner in the ledger name the category", NULL);
    else if (draft_stale(drafting) != NULL)
        draft_judge(drafting, claim, STATEMENT_REFUSED, clause, draft_stale(drafting),
                    "fix a new phase");
    else
        draft_judge(
            drafting, claim, STATEMENT_PROVED, clause,
            arena_printf(
                drafting->arena,
                "through the gateway%s, since the ledger's first entry%s, %s; say "
                "since when",
                drafting->brief->ledger.declared > 0 ? " and in what was declared" : "",
                drafting->brief->ledger.since_ns == SINCE_EVER ? "" : " that retention has left",
                draft_instant(drafting, drafting->brief->ledger.first_ns)),
            NULL);
}

static void judge_categories(struct checking *checking)
{
    struct drafting *drafting = &checking->drafting;
    for (size_t i = 0; i < checking->count; i++) {
        const struct mention *mention = &checking->mentions[i];
        if (mention->named != NULL)
            judge_named(drafting, checking->categories[i], mention->named);
        if (mention->denied != NULL)
            judge_denied(drafting, checking->categories[i], mention->denied);
    }
    for (size_t i = 0; i < drafting->category_count; i++) {
        const struct brief_category *category = &drafting->categories[i];
        bool said = category->people == 0;
        for (size_t j = 0; j < checking->count && !said; j++)
            said = strcmp(checking->categories[j], category->name) == 0 &&
                   checking->mentions[j].named != NULL;
        if (!said)
            draft_judge(drafting, arena_printf(drafting->arena, "omits_%s", category->name),
                        STATEMENT_REFUSED, NULL,
                        arena_printf(drafting->arena, "it was disclosed, and is not named: %s",
                                     people_words(drafting, category)),
                        arena_printf(drafting->arena, "name it: %s",
                                     draft_word(drafting, "public", category->name)));
    }
}

/* ---- phrases ---- */

static void phrase_contained(struct drafting *drafting, const char *clause)
{
    const char *evidence, *why = draft_uncontained(drafting, &evidence);
    draft_judge(drafting, "contained", why == NULL ? STATEMENT_PROVED : STATEMENT_REFUSED, clause,
                why == NULL ? evidence : why, NULL);
}

static void phrase_own_systems(struct drafting *drafting, const char *clause)
{
    const char *evidence;
    enum statement_verdict verdict = draft_own_systems(drafting, &evidence);
    draft_judge(drafting, "own_systems", verdict, clause, evidence,
                verdict == STATEMENT_PARTNER ? "say that it is the provider's word" : NULL);
}

static void phrase_authorities(struct drafting *drafting, const char *clause)
{
    size_t filed = drafting->brief->filings.row_count;
    draft_judge(drafting, "authorities", filed > 0 ? STATEMENT_PROVED : STATEMENT_REFUSED, clause,
                filed > 0 ? arena_printf(drafting->arena, "%zu filings are recorded", filed)
                          : "no filing with any authority is recorded",
                NULL);
}

static void phrase_people(struct drafting *drafting, const char *clause)
{
    const struct brief *brief = drafting->brief;
    bool written = brief->has_notice && brief->open.letters_waived == 0;
    draft_judge(drafting, "people", written ? STATEMENT_PROVED : STATEMENT_REFUSED, clause,
                brief->has_notice
                    ? arena_printf(drafting->arena, "notice %" PRId64 " was approved at %s; %s",
                                   brief->notice.number,
                                   draft_instant(drafting, brief->notice.approved_ns),
                                   draft_messages(drafting))
                    : "no notice to the people affected has been approved",
                NULL);
}

static void phrase_other_partners(struct drafting *drafting, const char *clause)
{
    draft_judge(drafting, "other_partners", STATEMENT_REFUSED, clause,
                "the ledger shows what other partners were given, not what happens at theirs",
                "leave it out");
}

static void phrase_misuse(struct drafting *drafting, const char *clause)
{
    draft_judge(drafting, "no_misuse", STATEMENT_REFUSED, clause,
                "what somebody does with data elsewhere leaves no trace here; to say that there is "
                "no evidence of it misleads",
                "say what is known, or that it is not known");
}

static void phrase_isolated_incident(struct drafting *drafting, const char *clause)
{
    draft_judge(drafting, "isolated_incident", STATEMENT_REFUSED, clause,
                "nothing here shows that there was only one", "leave it out");
}

static void phrase_numbers(struct drafting *drafting, const char *clause)
{
    draft_judge(drafting, "numbers", STATEMENT_REFUSED, clause,
                arena_printf(drafting->arena, "the scope has %s people",
                             layout_number(drafting->count.people, ",", drafting->arena)),
                "give the number, or none");
}

static const struct {
    const char *key;
    void (*judge)(struct drafting *drafting, const char *clause);
} phrases[] = {{"contained", phrase_contained},
               {"own_systems", phrase_own_systems},
               {"authorities", phrase_authorities},
               {"people", phrase_people},
               {"other_partners", phrase_other_partners},
               {"misuse", phrase_misuse},
               {"isolated_incident", phrase_isolated_incident},
               {"numbers", phrase_numbers}};
enum { PHRASES = sizeof phrases / sizeof phrases[0] };

static void take_phrases(struct checking *checking, const char *clause, bool told[PHRASES])
{
    for (size_t i = 0; i < PHRASES; i++)
        if (!told[i] &&
            has_any(clause, draft_text(&checking->drafting, "phrases", phrases[i].key))) {
            told[i] = true;
            phrases[i].judge(&checking->drafting, shown(checking, clause));
        }
}

enum status statement_check(const struct statement_case *of, const char *text, struct arena *arena,
                            struct statement *statement, struct error *error)
{
    struct checking checking = {0};
    struct drafting *drafting = &checking.drafting;
    struct statement checked = {0};
    bool told[PHRASES] = {0};
    draft_begin(drafting, of, arena, error);
    if (drafting->status != STATUS_OK)
        return drafting->status;
    const char *negations = draft_text(drafting, "negations", "words"), *name;
    while (checking.count < MOST_NAMED &&
           (name = words_key(of->texts, "names", checking.count)) != NULL)
        checking.categories[checking.count++] = name;
    char *rest = fold(text, arena);
    while (rest != NULL && *rest != '\0') {
        size_t parted, len = clause_len(rest, &parted);
        const char *clause = arena_copy(arena, rest, len);
        if (clause == NULL)
            break;
        take_categories(&checking, clause, has_any(clause, negations));
        take_phrases(&checking, clause, told);
        rest += len + parted;
    }
    judge_categories(&checking);
    TRY(draft_end(drafting, &checked));
    *statement = checked;
    return STATUS_OK;
}
