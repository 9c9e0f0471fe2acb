/* A form filled in, and the sheet made of it and kept. */
#include "incident/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "incident/layout.h"
#include "incident/report_values.h"

enum { SHEET_BYTES = 4 * 1024 * 1024, MOST_MISSING = 16 };

/* ---- one question ---- */

struct filling {
    struct answering answering;
    const struct form_question *question;
    struct sheet_answer *answer;
    const char **missing; /* room for MOST_MISSING */
    size_t sources;       /* that had something to say */
};

/* The text behind a name: a value of the case, or a fact. */
static const char *tell(const struct filling *filling, const char *name)
{
    const struct report_value *value = report_value_find(name);
    return value != NULL ? value->tell(&filling->answering)
                         : brief_fact(filling->answering.brief, name);
}

static void add_missing(struct filling *filling, const char *name)
{
    const struct answering *answering = &filling->answering;
    const struct report_value *value = report_value_find(name);
    if (filling->answer->missing_count == MOST_MISSING || (value != NULL && value->supply == NULL))
        return;
    const char *text;
    if (value == NULL) {
        const char *allowed = words_get(answering->of->facts, "values", name);
        text = arena_printf(
            answering->arena, "MISSING: %s%s%s\ncofferdam incident fact %" PRId64 " %s 'TEXT'",
            words_get(answering->of->facts, "facts", name), allowed == NULL ? "" : " One of: ",
            allowed == NULL ? "" : arena_printf(answering->arena, "%s.", allowed),
            answering->brief->incident.number, name);
    } else if (strncmp(value->supply, "cofferdam", strlen("cofferdam")) == 0) {
        text = arena_printf(answering->arena, value->supply, answering->brief->incident.number,
                            answering->of->form->authority);
        text = arena_printf(answering->arena, "MISSING. Set it:\n%s", text);
    } else {
        text = arena_printf(answering->arena, "MISSING. Set it:\n%s", value->supply);
    }
    filling->missing[filling->answer->missing_count++] = text;
}

static void say(struct filling *filling, const char *name, bool wanted)
{
    const char *text = tell(filling, name);
    if (text == NULL && wanted)
        add_missing(filling, name);
    if (text == NULL)
        return;
    filling->sources++;
    filling->answer->text =
        filling->answer->text == NULL
            ? text
            : arena_printf(filling->answering.arena, "%s\n%s", filling->answer->text, text);
}

static bool has_word(const char *words, const char *word, size_t len)
{
    for (const char *line = words; line != NULL && *line != '\0';) {
        size_t line_len = strcspn(line, "\n");
        if (line_len == len && strncmp(line, word, len) == 0)
            return true;
        line += line_len + (line[line_len] == '\n');
    }
    return false;
}

static bool box_has(const struct form_box *box, const char *word, size_t len)
{
    for (size_t i = 0; i < box->of_count; i++)
        if (strlen(box->of[i]) == len && strncmp(box->of[i], word, len) == 0)
            return true;
    return false;
}

/* Is there a word that no box of the question is for? */
static bool has_rest(const struct form_question *question, const char *words)
{
    for (const char *line = words; line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        bool there = false;
        for (size_t i = 0; i < question->box_count && !there; i++)
            there = box_has(&question->boxes[i], line, len);
        if (!there)
            return true;
        line += len + (line[len] == '\n');
    }
    return false;
}

static bool is_ticked(const struct form_question *question, const struct form_box *box,
                      const char *words)
{
    if (box->kind == FORM_BOX_REST)
        return has_rest(question, words);
    if (box->kind == FORM_BOX_UNKNOWN)
        return words == NULL;
    for (size_t i = 0; i < box->of_count; i++)
        if (strcmp(box->of[i], "?") == 0 ? words == NULL
                                         : has_word(words, box->of[i], strlen(box->of[i])))
            return true;
    return false;
}

static void tick(struct filling *filling)
{
    const struct form_question *question = filling->question;
    struct sheet_box *boxes =
        arena_array(filling->answering.arena, struct sheet_box, question->box_count + 1);
    const char *words = tell(filling, question->tick);
    if (boxes == NULL)
        return;
    for (size_t i = 0; i < question->box_count; i++)
        boxes[i] = (struct sheet_box){.label = question->boxes[i].label,
                                      .ticked = is_ticked(question, &question->boxes[i], words)};
    filling->answer->boxes = boxes;
    filling->answer->box_count = question->box_count;
    if (words == NULL)
        add_missing(filling, question->tick);
    else
        filling->sources++;
}

/* Is the e-mail address one of those that belong in a report? */
static bool is_official(const struct brief *brief, const char *word, size_t len)
{
    const char *const known[] = {
        brief->policy->controller.dpo_email, brief_fact(brief, "reporter_email"),
        brief->partner == NULL ? NULL : brief->partner->breach_contact_email};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i] != NULL && strlen(known[i]) == len && strncmp(known[i], word, len) == 0)
            return true;
    return false;
}

/* Staff's own words can hold what no report may: an e-mail address is the part that can be seen. */
static bool names_somebody(const struct brief *brief, const char *text)
{
    for (const char *at = text; (at = strchr(at, '@')) != NULL; at++) {
        const char *begin = at;
        while (begin > text && strchr(" \n\t,;:()<>", begin[-1]) == NULL)
            begin--;
        size_t len = strcspn(begin, " \n\t,;:()<>");
        while (len > 0 && begin[len - 1] == '.')
            len--;
        if (!is_official(brief, begin, len))
            return true;
    }
    return false;
}

static void answer(struct filling *filling)
{
    const struct form_question *question = filling->question;
    filling->answer->ask = question->ask;
    filling->answer->help = question->help;
    if (question->tick != NULL)
        tick(filling);
    for (size_t i = 0; i < question->say_count; i++)
        say(filling, question->say[i], true);
    for (size_t i = 0; i < question->also_count; i++)
        say(filling, question->also[i], false);
    if (filling->sources == 0 && filling->answer->missing_count == 0)
        for (size_t i = 0; i < question->also_count; i++)
            add_missing(filling, question->also[i]);
    filling->answer->missing = filling->missing;
    if (filling->answer->text != NULL &&
        names_somebody(filling->answering.brief, filling->answer->text))
        filling->answer->warning =
            "CHECK: an e-mail address stands in this answer. No data of those "
            "affected belongs in a report.";
    if (filling->answer->text != NULL && question->most_characters > 0 &&
        layout_characters(filling->answer->text) > question->most_characters)
        filling->answer->most_characters = question->most_characters;
}

/* ---- the form ---- */

static enum status check_name(const struct report_case *of, const struct form_question *question,
                              const char *name, struct error *error)
{
    if (report_value_find(name) != NULL || words_get(of->facts, "facts", name) != NULL)
        return STATUS_OK;
    return error_set(
        error, STATUS_INVALID, "F0000", "facts are in facts.yaml, values in cofferdam-incident(1)",
        "%s:%d: there is no fact or value \"%.60s\"", of->form->path, question->line, name);
}

static enum status check_question(const struct report_case *of,
                                  const struct form_question *question, struct error *error)
{
    for (size_t i = 0; i < question->say_count; i++)
        TRY(check_name(of, question, question->say[i], error));
    for (size_t i = 0; i < question->also_count; i++)
        TRY(check_name(of, question, question->also[i], error));
    return question->tick == NULL ? STATUS_OK : check_name(of, question, question->tick, error);
}

static enum status applies(const struct answering *answering, const char *condition, int line,
                           bool *asked, struct error *error)
{
    bool known;
    *asked = report_applies(answering, condition, &known);
    return known ? STATUS_OK
                 : error_set(error, STATUS_INVALID, "F0000",
                             "one of: follow-up, late, cyber, people-not-told",
                             "%s:%d: there is no condition \"%.60s\"", answering->of->form->path,
                             line, condition);
}

static enum status fill_question(const struct answering *answering,
                                 const struct form_question *question, size_t section,
                                 struct sheet_section *into, struct sheet_answer *answers,
                                 struct error *error)
{
    bool asked;
    TRY(check_question(answering->of, question, error));
    TRY(applies(answering, question->only, question->line, &asked, error));
    if (!asked)
        return STATUS_OK;
    struct filling filling = {.answering = *answering,
                              .question = question,
                              .answer = &answers[into->answer_count++],
                              .missing = arena_array(answering->arena, const char *, MOST_MISSING)};
    if (filling.missing == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the sheet");
    answer(&filling);
    filling.answer->number = arena_printf(answering->arena, "%zu.%zu", section, into->answer_count);
    return STATUS_OK;
}

static enum status fill_section(const struct answering *answering,
                                const struct form_section *section, size_t number,
                                struct sheet_section *into, struct error *error)
{
    bool asked;
    int line = section->question_count > 0 ? section->questions[0].line : 1;
    TRY(applies(answering, section->only, line, &asked, error));
    into->title = section->title;
    struct sheet_answer *answers =
        arena_array(answering->arena, struct sheet_answer, section->question_count + 1);
    if (answers == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the sheet");
    into->answers = answers;
    for (size_t i = 0; asked && i < section->question_count; i++)
        TRY(fill_question(answering, &section->questions[i], number, into, answers, error));
    return STATUS_OK;
}

static void add_notes(const struct answering *answering, struct sheet *sheet)
{
    const struct brief *brief = answering->brief;
    const struct form *form = answering->of->form;
    const char **notes = arena_array(answering->arena, const char *, 5);
    size_t count = 0;
    if (notes == NULL)
        return;
    notes[count++] =
        arena_printf(answering->arena, "Incident %" PRId64 ", phase %" PRId64 ", scope sha256 %s.",
                     brief->incident.number, brief->phase.number, brief->scope->sha256);
    notes[count++] = arena_printf(answering->arena, "File at: %s", form->where);
    if (form->compared != NULL)
        notes[count++] = arena_printf(answering->arena, "The form: %s", form->compared);
    notes[count++] = "Paste each answer as it stands. No personal data of those affected "
                     "belongs in this report.";
    notes[count++] =
        sheet->missing_count == 0
            ? "Nothing is missing."
            : arena_printf(answering->arena, "Answers missing: %zu. Look for MISSING below.",
                           sheet->missing_count);
    sheet->notes = notes;
    sheet->note_count = count;
}

enum status report_fill(const struct report_case *of, struct arena *arena, struct sheet *sheet,
                        struct error *error)
{
    struct answering answering = {.of = of, .brief = of->brief, .arena = arena};
    struct sheet filled = {.title = of->form->title};
    if (of->brief->incident.is_drill)
        filled.title = arena_printf(arena, "AN EXERCISE, NOT TO BE FILED. %s", of->form->title);
    struct sheet_section *sections =
        arena_array(arena, struct sheet_section, of->form->section_count + 1);
    if (sections == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the sheet");
    for (size_t i = 0; i < of->form->section_count; i++) {
        TRY(fill_section(&answering, &of->form->sections[i], i + 1, &sections[i], error));
        for (size_t j = 0; j < sections[i].answer_count; j++)
            filled.missing_count += sections[i].answers[j].missing_count > 0;
    }
    filled.sections = sections;
    filled.section_count = of->form->section_count;
    add_notes(&answering, &filled);
    if (arena->overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for the sheet");
    *sheet = filled;
    return STATUS_OK;
}
