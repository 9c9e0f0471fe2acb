/* The public statement: what each claim rests on, what is refused, and texts of others judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "example_case.h"
#include "incident/lint.h"
#include "incident/statement.h"

enum { ROOM = 1024 * 1024 };

struct desk {
    struct example_case example;
    struct words *words, *texts;
    struct statement_case of;
    struct statement statement;
    struct buffer text;
};

static void must(enum status status, const struct error *error)
{
    if (status != STATUS_OK)
        fail_msg("%s (%s)", error->message, error->hint);
}

static void sit_down(struct desk *desk, const char *language, bool bare)
{
    static const char *const authorities[] = {"ico"};
    char path[512];
    struct error error = {0};
    *desk = (struct desk){0};
    if (bare)
        example_make_bare(&desk->example);
    else
        example_make(&desk->example);
    snprintf(path, sizeof path, SHARE "/words/%s.yaml", language);
    must(words_load(path, &desk->words, &error), &error);
    snprintf(path, sizeof path, SHARE "/statement/%s.yaml", language);
    must(words_load(path, &desk->texts, &error), &error);
    buffer_init(&desk->text, ROOM);
    desk->of = (struct statement_case){.brief = &desk->example.brief,
                                       .words = desk->words,
                                       .texts = desk->texts,
                                       .authorities = authorities,
                                       .authority_count = 1};
}

/* The statement, a block a line, items after "- ". */
static const char *draft(struct desk *desk)
{
    struct error error = {0};
    must(statement_draft(&desk->of, &desk->example.arena, &desk->statement, &error), &error);
    buffer_clear(&desk->text);
    for (size_t i = 0; i < desk->statement.document.count; i++) {
        const struct block *block = &desk->statement.document.blocks[i];
        buffer_printf(&desk->text, "%s%s\n", block->kind == BLOCK_ITEM ? "- " : "", block->text);
    }
    return buffer_text(&desk->text);
}

/* As it is printed, with its lines wrapped. */
static const char *print(struct desk *desk)
{
    draft(desk);
    buffer_clear(&desk->text);
    document_text(&desk->statement.document, &desk->text);
    return buffer_text(&desk->text);
}

static void check(struct desk *desk, const char *text)
{
    struct error error = {0};
    must(statement_check(&desk->of, text, &desk->example.arena, &desk->statement, &error), &error);
}

static void get_up(struct desk *desk)
{
    words_free(desk->words);
    words_free(desk->texts);
    buffer_free(&desk->text);
    example_free(&desk->example);
}

static const struct statement_claim *find(const struct desk *desk, const char *name)
{
    for (size_t i = 0; i < desk->statement.claim_count; i++)
        if (strcmp(desk->statement.claims[i].name, name) == 0)
            return &desk->statement.claims[i];
    return NULL;
}

static const struct statement_claim *claim(const struct desk *desk, const char *name)
{
    const struct statement_claim *found = find(desk, name);
    if (found == NULL)
        fail_msg("no claim \"%s\"", name);
    return found;
}

static void verdict_is(const struct desk *desk, const char *name, enum statement_verdict verdict)
{
    const struct statement_claim *found = claim(desk, name);
    if (found->verdict != verdict)
        fail_msg("%s: %s, not %s (%s)", name, statement_verdict_name(found->verdict),
                 statement_verdict_name(verdict), found->evidence);
    assert_non_null(found->evidence);
}

static void says(const char *text, const char *words)
{
    if (text == NULL || strstr(text, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, text == NULL ? "(nothing)" : text);
}

static void says_not(const char *text, const char *words)
{
    if (text != NULL && strstr(text, words) != NULL)
        fail_msg("\"%s\" is in: %s", words, text);
}

/* ---- drafting ---- */

static void taken_is_bound_to_the_scope(void **state)
{
    struct desk desk;
    sit_down(&desk, "en", false);
    const char *text = draft(&desk);
    says(text, "some or all of this");
    says(text, "- names\n");
    says(text, "- email addresses, in part\n");
    says(text, "customers and people who asked us for information");
    says(text, "Meridian and Dacre");
    says_not(text, "15,000"); /* never the number */
    says_not(text, "people at most");
    verdict_is(&desk, "taken", STATEMENT_PROVED);
    says(claim(&desk, "taken")->evidence, desk.example.scope.sha256);
    says(claim(&desk, "taken")->evidence, "below 91240");
    desk.of.with_numbers = true;
    says(draft(&desk), "15,000 people at most");
    get_up(&desk);
}

static void data_behind_the_cut_off_refuses_it(void **state)
{
    struct desk desk;
    sit_down(&desk, "en", false);
    desk.example.brief.ledger.disclosures_later = 2;
    const char *text = draft(&desk);
    verdict_is(&desk, "taken", STATEMENT_REFUSED);
    verdict_is(&desk, "never", STATEMENT_REFUSED);
    says(claim(&desk, "taken")->needed, "cofferdam incident scope 3 --new-phase");
    says_not(text, "some or all of");
    says_not(text, "passwords and");
    says_not(text, "deal with"); /* nor what rests on it */
    assert_null(find(&desk, "confirmed"));
    desk.example.brief.ledger.disclosures_later = 0;
    draft(&desk);
    verdict_is(&desk, "confirmed", STATEMENT_PROVED);
    get_up(&desk);
}

static void never_is_said_since_when_and_of_what(void **state)
{
    static const char *const only_credential[] = {"credential"};
    struct desk desk;
    sit_down(&desk, "en", false);
    says(draft(&desk), "Since 5 January 2026");
    verdict_is(&desk, "never", STATEMENT_PROVED);
    says(claim(&desk, "never")->said, "no passwords and no bank or card details");
    desk.example.scope.never = only_credential; /* an entry names financial data */
    desk.example.scope.never_count = 1;
    draft(&desk);
    says(claim(&desk, "never")->said, "no passwords.");
    says_not(claim(&desk, "never")->said, "bank");
    verdict_is(&desk, "never_financial", STATEMENT_REFUSED);
    desk.example.scope.never_count = 0;
    draft(&desk);
    assert_null(find(&desk, "never"));
    verdict_is(&desk, "never_credential", STATEMENT_REFUSED);
    get_up(&desk);
}

/* "ni" alone is no French. */
static void one_category_alone_has_its_own_words(void **state)
{
    static const char *const alone[] = {"credential"};
    struct desk desk;
    sit_down(&desk, "fr", false);
    says(draft(&desk), "ni mots de passe ni coordonnées bancaires ni données de carte bancaire.");
    desk.example.scope.never = alone;
    desk.example.scope.never_count = 1;
    says(draft(&desk), "nous n'avons donné à cette société aucun mot de passe.");
    says(draft(&desk), "Adressez-vous à Imogen Hartley, en charge de la protection");
    struct policy unnamed = *desk.example.policy;
    unnamed.controller.dpo_name = NULL;
    desk.example.brief.policy = &unnamed;
    says(draft(&desk), "Adressez-vous à notre service de protection des données");
    get_up(&desk);
}

static void declared_exports_weaken_never(void **state)
{
    struct desk desk;
    sit_down(&desk, "en", false);
    desk.example.brief.ledger.declared = 1;
    draft(&desk);
    verdict_is(&desk, "never", STATEMENT_PROVED);
    says(claim(&desk, "never")->said, "through the system by which we share data");
    says(claim(&desk, "never")->said, "in other ways are not in these records");
    get_up(&desk);
}

static void contained_only_while_it_is(void **state)
{
    struct desk desk;
    sit_down(&desk, "en", false);
    struct brief_ledger *ledger = &desk.example.brief.ledger;
    says(draft(&desk), "we cut this company off");
    verdict_is(&desk, "contained", STATEMENT_PROVED);
    says(claim(&desk, "contained")->evidence, "ledger entry 91238, 2026-11-22T09:15:41Z");
    says(claim(&desk, "contained")->evidence, "1 minute 41 seconds after the notice");
    says_not(draft(&desk), "nothing more"); /* there are other ways than the gateway */
    ledger->declared_last_ns = example_instant("2026-11-23T07:00:00Z");
    says_not(draft(&desk), "cut this company off");
    verdict_is(&desk, "contained", STATEMENT_REFUSED);
    says(claim(&desk, "contained")->evidence, "declared an export of 2026-11-23T07:00:00Z");
    ledger->declared_last_ns = example_instant("2026-11-21T07:00:00Z");
    draft(&desk);
    verdict_is(&desk, "contained", STATEMENT_PROVED);
    ledger->restored_ns = example_instant("2026-11-23T08:00:00Z");
    ledger->restored_entry = 91300;
    says_not(draft(&desk), "cut this company off");
    verdict_is(&desk, "contained", STATEMENT_REFUSED);
    says(claim(&desk, "contained")->evidence, "restored at 2026-11-23T08:00:00Z");
    ledger->contained_ns = INT64_MIN;
    draft(&desk);
    verdict_is(&desk, "contained", STATEMENT_REFUSED);
    says(claim(&desk, "contained")->needed, "cofferdam partner contain north-mail");
    get_up(&desk);
}

static void the_partners_word_is_marked(void **state)
{
    struct desk desk;
    sit_down(&desk, "en", false);
    draft(&desk);
    verdict_is(&desk, "happened", STATEMENT_PARTNER);
    says(claim(&desk, "happened")->evidence, desk.example.brief.incident.report_sha256);
    verdict_is(&desk, "partner_contained", STATEMENT_REFUSED);
    example_fact(&desk.example, "partner_contained", "yes", "2026-11-22T11:00:00Z");
    draft(&desk);
    verdict_is(&desk, "partner_contained", STATEMENT_REFUSED); /* on what grounds? */
    example_fact(&desk.example, "partner_contained_basis", "its letter of 22 November",
                 "2026-11-22T11:00:00Z");
    says(draft(&desk), "The company tells us that it has ended the breach on its side.");
    verdict_is(&desk, "partner_contained", STATEMENT_PARTNER);
    get_up(&desk);
}

static void own_systems_need_who_and_how(void **state)
{
    struct desk desk;
    sit_down(&desk, "en", false);
    says(draft(&desk), "Our own systems were not affected.");
    verdict_is(&desk, "own_systems", STATEMENT_COMPANY);
    says(claim(&desk, "own_systems")->evidence, "our own finding by our own security team");
    get_up(&desk);
    sit_down(&desk, "en", true);
    example_fact(&desk.example, "own_systems", "no", "2026-11-22T11:00:00Z");
    draft(&desk);
    verdict_is(&desk, "own_systems", STATEMENT_REFUSED);
    example_fact(&desk.example, "own_systems_source", "north-mail", "2026-11-22T11:00:00Z");
    example_fact(&desk.example, "own_systems_basis", "by telephone", "2026-11-22T11:00:00Z");
    says(draft(&desk), "The company tells us that our own systems");
    verdict_is(&desk, "own_systems", STATEMENT_PARTNER);
    get_up(&desk);
}

static void authorities_and_people_by_record(void **state)
{
    struct desk desk;
    sit_down(&desk, "en", false);
    says(draft(&desk), "We are writing to the people affected");
    verdict_is(&desk, "people_sending", STATEMENT_PROVED);
    verdict_is(&desk, "authorities_ico", STATEMENT_REFUSED);
    example_filing(&desk.example, "ico", "IC-1", "2026-11-22T14:00:00Z", "1");
    says(draft(&desk), "We have told the Information Commissioner's Office.");
    verdict_is(&desk, "authorities", STATEMENT_PROVED);
    says(claim(&desk, "authorities")->evidence, "reference IC-1");
    desk.example.brief.notice.finished_ns = example_instant("2026-11-23T14:00:00Z");
    says(draft(&desk), "We have written to the people affected");
    says_not(draft(&desk), "For some of the people affected");
    desk.example.brief.phase.number = 2; /* with people who are in no notice yet */
    says_not(draft(&desk), "to the people affected");
    verdict_is(&desk, "people", STATEMENT_REFUSED);
    get_up(&desk);
}

/* Whoever waits for a letter has not been written to; whoever has no address will not be. */
static void letters_that_wait_are_not_written(void **state)
{
    struct desk desk;
    sit_down(&desk, "en", false);
    struct brief *brief = &desk.example.brief;
    brief->notice.finished_ns = example_instant("2026-11-23T14:00:00Z");
    brief->messages = (struct standing_counts){
        .total = 100,
        .states = {[OUTBOX_ACCEPTED] = 80, [OUTBOX_LETTER] = 17, [OUTBOX_PUBLIC] = 3}};
    brief->open = (struct standing_open_ends){.letters = 17, .public_notices = 3};
    const char *text = draft(&desk);
    says_not(text, "We have written to the people affected");
    says(text, "We have sent emails to the people affected. We are writing letters to those");
    says(text, "For some of the people affected we have no address.");
    verdict_is(&desk, "people_posting", STATEMENT_PROVED);
    says(claim(&desk, "people_posting")->evidence,
         "of 100 people 80 messages were handed over, 17 need a letter (not decided to be posted)");
    brief->open.letters = 0;
    text = draft(&desk);
    says(text, "We have written to the people affected, one by one.");
    says(text, "For some of the people affected we have no address.");
    brief->open.letters_waived = 17;
    says_not(draft(&desk), "We have written to the people affected");
    verdict_is(&desk, "people_sent", STATEMENT_REFUSED);
    says(claim(&desk, "people_sent")->evidence, "17 need a letter (decided not to be sent)");
    brief->open = (struct standing_open_ends){0};
    brief->messages = (struct standing_counts){.total = 3, .states = {[OUTBOX_PUBLIC] = 3}};
    says_not(draft(&desk), "We have written to the people affected");
    verdict_is(&desk, "people_sent", STATEMENT_REFUSED);
    get_up(&desk);
    sit_down(&desk, "fr", false);
    desk.example.brief.notice.finished_ns = example_instant("2026-11-23T14:00:00Z");
    desk.example.brief.open.letters = 17;
    says(draft(&desk), "Nous écrivons par courrier à celles qu'un e-mail n'atteint pas.");
    get_up(&desk);
}

static void what_nobody_can_know_is_refused(void **state)
{
    struct desk desk;
    sit_down(&desk, "en", false);
    const char *text = draft(&desk);
    verdict_is(&desk, "other_partners", STATEMENT_REFUSED);
    verdict_is(&desk, "no_misuse", STATEMENT_REFUSED);
    says_not(text, "no evidence");
    says_not(text, "other companies");
    get_up(&desk);
}

static void a_bare_case_says_little(void **state)
{
    struct desk desk;
    sit_down(&desk, "en", true);
    const char *text = draft(&desk);
    says(text, "On 22 November 2026 we learned of a data breach at a company that works for us.");
    says_not(text, "North Mail");
    says_not(text, "Our own systems");
    verdict_is(&desk, "happened", STATEMENT_COMPANY);
    verdict_is(&desk, "people", STATEMENT_REFUSED);
    get_up(&desk);
}

static void a_brand_speaks_of_its_own_people(void **state)
{
    struct error error = {0};
    struct desk desk;
    sit_down(&desk, "en", false);
    desk.of.brand = "dacre";
    desk.of.with_numbers = true;
    const char *text = draft(&desk);
    says(text, "Dacre: a data breach");
    says(text, "3,000 people at most");
    says(text, "dacre.example/privacy");
    says_not(text, "deal with");
    desk.of.brand = "nobody";
    assert_int_equal(statement_draft(&desk.of, &desk.example.arena, &desk.statement, &error),
                     STATUS_NOT_FOUND);
    get_up(&desk);
}

static void no_words_of_another_language(void **state)
{
    struct desk desk;
    sit_down(&desk, "fr", true);
    example_fact(&desk.example, "statement_what_happened", "It was hacked.",
                 "2026-11-22T11:00:00Z");
    example_fact(&desk.example, "partner_service_fr", "impression de lettres",
                 "2026-11-22T11:00:00Z");
    const char *text = draft(&desk);
    says_not(text, "It was hacked.");
    says(text, "impression de lettres.");
    get_up(&desk);
}

static void texts_that_lack_a_sentence_are_refused(void **state)
{
    struct error error = {0};
    struct desk desk;
    sit_down(&desk, "en", false);
    desk.of.texts = desk.words;
    assert_int_equal(statement_draft(&desk.of, &desk.example.arena, &desk.statement, &error),
                     STATUS_INVALID);
    says(error.message, "the statement's texts have no");
    get_up(&desk);
}

/* ---- examples ---- */

static void keep_example(const char *language)
{
    char name[64];
    struct desk desk;
    sit_down(&desk, language, false);
    example_filing(&desk.example, "ico", "IC-123456", "2026-11-22T14:00:00Z", "1");
    print(&desk);
    snprintf(name, sizeof name, "statement-%s.txt", language);
    example_compare(name, buffer_slice(&desk.text));
    if (strcmp(language, "en") == 0) {
        buffer_clear(&desk.text);
        statement_evidence(desk.statement.claims, desk.statement.claim_count, &desk.text);
        example_compare("statement-evidence.txt", buffer_slice(&desk.text));
    }
    get_up(&desk);
}

static void examples_are_what_is_made(void **state)
{
    keep_example("en");
    keep_example("fr");
}

/* Our own statement passes the rules that messages are held to, and our own check of claims. */
static void own_statement_passes(void **state)
{
    static const char *const languages[] = {"en", "fr"};
    for (size_t i = 0; i < 2; i++) {
        char path[512], shown[2048] = "";
        struct lint *lint;
        struct table findings;
        struct error error = {0};
        struct desk desk;
        sit_down(&desk, languages[i], false);
        example_filing(&desk.example, "ico", "IC-123456", "2026-11-22T14:00:00Z", "1");
        char *text = arena_strdup(&desk.example.arena, print(&desk));
        snprintf(path, sizeof path, SHARE "/notices/lint.%s.yaml", languages[i]);
        must(lint_load(path, &lint, &error), &error);
        lint_table(&findings);
        lint_document(lint, languages[i], &desk.statement.document, &findings);
        for (const struct table_row *row = findings.first; row != NULL; row = row->next)
            snprintf(shown + strlen(shown), sizeof shown - strlen(shown), "%s: %s\n", row->cells[2],
                     row->cells[3]);
        assert_string_equal(shown, "");
        check(&desk, text);
        for (size_t j = 0; j < desk.statement.claim_count; j++)
            if (desk.statement.claims[j].verdict == STATEMENT_REFUSED)
                fail_msg("%s: %s (%s)", languages[i], desk.statement.claims[j].name,
                         desk.statement.claims[j].evidence);
        table_free(&findings);
        lint_free(lint);
        get_up(&desk);
    }
}

/* ---- texts of others ---- */

static void judges_categories_of_a_text(void **state)
{
    struct desk desk;
    sit_down(&desk, "en", false);
    check(&desk,
          "The data was some or all of: names, home addresses, dates of birth, health data.\n"
          "No telephone numbers and no passwords were taken.");
    verdict_is(&desk, "names_name", STATEMENT_PROVED);
    verdict_is(&desk, "names_address", STATEMENT_PROVED);
    verdict_is(&desk, "names_health", STATEMENT_REFUSED);
    verdict_is(&desk, "denies_phone", STATEMENT_REFUSED);
    says(claim(&desk, "denies_phone")->evidence, "it was disclosed: 3,000 people");
    verdict_is(&desk, "denies_credential", STATEMENT_PROVED);
    verdict_is(&desk, "omits_vin", STATEMENT_REFUSED);
    verdict_is(&desk, "omits_gender", STATEMENT_REFUSED);
    assert_null(find(&desk, "omits_name"));
    get_up(&desk);
}

static void longer_words_win(void **state)
{
    struct desk desk;
    sit_down(&desk, "en", true);
    check(&desk, "It held email addresses.");
    verdict_is(&desk, "names_email", STATEMENT_PROVED);
    assert_null(find(&desk, "names_address"));
    check(&desk, "It held renamed files."); /* not names */
    assert_null(find(&desk, "names_name"));
    get_up(&desk);
}

/* What a company said after such an attack, before anybody could know it. */
static void judges_the_usual_phrases(void **state)
{
    struct desk desk;
    sit_down(&desk, "en", true);
    desk.example.brief.ledger.contained_ns = INT64_MIN;
    check(&desk, "This is an isolated incident, and it has been contained. None of our own systems "
                 "are affected. No other suppliers are affected. We have told the authorities and "
                 "are contacting everyone affected, a small number of customers. There is no "
                 "evidence of misuse.");
    static const char *const refused[] = {"contained",   "own_systems",      "other_partners",
                                          "authorities", "people",           "no_misuse",
                                          "numbers",     "isolated_incident"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        verdict_is(&desk, refused[i], STATEMENT_REFUSED);
    get_up(&desk);
}

static void judges_french(void **state)
{
    struct desk desk;
    sit_down(&desk, "fr", false);
    check(&desk, "Des noms et des numéros d’immatriculation sont concernés. "
                 "Aucune donnée financière n’est concernée, et aucun mot de passe.");
    verdict_is(&desk, "names_name", STATEMENT_PROVED);
    verdict_is(&desk, "names_vrm", STATEMENT_PROVED);
    verdict_is(&desk, "denies_credential", STATEMENT_PROVED);
    get_up(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_is_bound_to_the_scope),
        cmocka_unit_test(data_behind_the_cut_off_refuses_it),
        cmocka_unit_test(never_is_said_since_when_and_of_what),
        cmocka_unit_test(one_category_alone_has_its_own_words),
        cmocka_unit_test(declared_exports_weaken_never),
        cmocka_unit_test(contained_only_while_it_is),
        cmocka_unit_test(the_partners_word_is_marked),
        cmocka_unit_test(own_systems_need_who_and_how),
        cmocka_unit_test(authorities_and_people_by_record),
        cmocka_unit_test(letters_that_wait_are_not_written),
        cmocka_unit_test(what_nobody_can_know_is_refused),
        cmocka_unit_test(a_bare_case_says_little),
        cmocka_unit_test(a_brand_speaks_of_its_own_people),
        cmocka_unit_test(no_words_of_another_language),
        cmocka_unit_test(texts_that_lack_a_sentence_are_refused),
        cmocka_unit_test(examples_are_what_is_made),
        cmocka_unit_test(own_statement_passes),
        cmocka_unit_test(judges_categories_of_a_text),
        cmocka_unit_test(longer_words_win),
        cmocka_unit_test(judges_the_usual_phrases),
        cmocka_unit_test(judges_french),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
