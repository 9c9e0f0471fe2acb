/* cofferdam incident notify: from a dry run to the proof of dispatch. One mode a call; what each
 * does is in incident/ (notice.h, approval.h, sending.h, dispatch.h). */
#include "cli/verbs.h"

#include <errno.h>
#include <signal.h>
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/incident.h"
#include "cli/json.h"
#include "cli/notify.h"
#include "incident/approval.h"
#include "incident/bounces.h"
#include "incident/dispatch.h"
#include "incident/publish.h"

enum { ARENA_BYTES = 8 << 20, MESSAGE_BYTES = 1 << 20, PATH_BYTES = 4096, FOLDER_MODE = 0700 };

static const struct cli_option options[] = {
    {"dry-run", 0, NULL, "show audience, exclusions, texts and the hash; sends nothing"},
    {"sample", 0, "DIR", "with --dry-run: write each text, to an invented person, into DIR"},
    {"grades", 0, "LIST", "with --dry-run, --test, --send: who is told; default direct,declared"},
    {"test", 0, "ADDRESS", "send each text to this address, to an invented person, marked [TEST]"},
    {"send", 0, NULL, "send what --approve names"},
    {"approve", 0, "HASH", "with --send: the hash that --dry-run printed"},
    {"pause", 0, NULL, "stop sending after the messages on their way"},
    {"resume", 0, NULL, "go on sending, after a pause, a stop or a crash"},
    {"status", 0, NULL, "how far it is, from any terminal"},
    {"doubt", 0, "WHAT", "decide about those in doubt: resend or letter; needs --why"},
    {"letters", 0, "FILE", "write the letters for print, as CSV"},
    {"proof", 0, "FILE", "write the proof of dispatch, as CSV; - is standard output"},
    {"why", 0, "WHY", "reason, for the decision log"},
    CLI_INCIDENT_BY,
    {NULL, 0, NULL, NULL},
};

/* What a mode works with. */
struct notify {
    struct cli_call *call;
    struct casework *casework;
    int64_t incident;
    struct arena arena;
    struct incident_notice approved; /* where the mode is about one */
    struct scope *scope;
    struct notice *notice;
};

/* ---- opening ---- */

/* The newest phase, as it would be approved now. */
static enum status open_plan(struct notify *notify, struct error *error)
{
    scope_grades grades;
    TRY(cli_incident_grades(notify->call, &grades, error));
    TRY(scope_open(notify->casework, notify->incident, 0, &notify->scope, error));
    const char *without = scope_without_traits(notify->scope);
    if (without != NULL)
        return error_set(error, STATUS_DENIED, "55000",
                         "mend it, then make a new phase: cofferdam incident scope N --new-phase",
                         "of the phase's people neither brand nor language is known: %s", without);
    return notice_open(notify->casework, notify->scope, grades, &notify->notice, error);
}

static enum status find_approved(struct notify *notify, struct error *error)
{
    enum status status = incidents_get_notice(notify->casework->incidents, notify->incident, 0,
                                              &notify->arena, &notify->approved, error);
    if (status == STATUS_NOT_FOUND)
        return error_set(error, STATUS_NOT_FOUND, "02000",
                         "begin with --dry-run, then --send --approve HASH",
                         "no notice of incident %" PRId64 " has been approved", notify->incident);
    return status;
}

/* The approved notice, which must still be what was approved. */
static enum status open_approved(struct notify *notify, struct error *error)
{
    TRY(find_approved(notify, error));
    TRY(scope_open(notify->casework, notify->incident, notify->approved.phase, &notify->scope,
                   error));
    TRY(notice_open(notify->casework, notify->scope, SCOPE_GRADES_NOTIFIED, &notify->notice,
                    error));
    return approval_check(notify->casework, notify->scope, notify->notice, &notify->approved,
                          error);
}

/* ---- dry run and test ---- */

static enum status write_file(const char *folder, const char *name, const char *ending,
                              struct slice content, struct error *error)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending);
    return file_replace(path, content, 0600, error);
}

static enum status write_sample(struct notify *notify, size_t variant, enum notice_sample sample,
                                const char *folder, struct error *error)
{
    const struct notice_variant *variants;
    struct mail_message message;
    struct buffer bytes;
    char name[200];
    notice_variants(notify->notice, &variants);
    snprintf(name, sizeof name, "%s-%s-%s-%s", variants[variant].kind, variants[variant].brand,
             variants[variant].language, sample == NOTICE_SAMPLE_FULL ? "full" : "common");
    TRY(notice_render_sample(notify->notice, variant, sample, "name@mail.example", clock_now_ns(),
                             &notify->arena, &message, error));
    buffer_init(&bytes, MESSAGE_BYTES);
    enum status status = mail_build(&message, &bytes, error);
    if (status == STATUS_OK)
        status = write_file(folder, name, "eml", buffer_slice(&bytes), error);
    if (status == STATUS_OK)
        status = write_file(folder, name, "txt", slice_of_text(message.text), error);
    buffer_free(&bytes);
    return status;
}

static enum status write_samples(struct notify *notify, const char *folder, struct error *error)
{
    const struct notice_variant *variants;
    size_t count = notice_variants(notify->notice, &variants);
    TRY(file_make_folder(folder, FOLDER_MODE, error));
    for (size_t i = 0; i < count; i++) {
        arena_reset(&notify->arena);
        TRY(write_sample(notify, i, NOTICE_SAMPLE_COMMON, folder, error));
        TRY(write_sample(notify, i, NOTICE_SAMPLE_FULL, folder, error));
    }
    fprintf(stderr, "%zu texts in %s\n", 2 * count, folder);
    return STATUS_OK;
}

static enum status print_plan_json(const struct notify *notify, const struct table *summary,
                                   struct error *error)
{
    const struct outbox_person *people;
    enum cli_json_kind kinds[TABLE_MAX_COLUMNS] = {0};
    kinds[cli_column(summary, "people")] = CLI_JSON_NUMBER;
    json_t *object = json_pack("{s:s, s:I, s:I, s:o}", "hash", notice_hash(notify->notice),
                               "notice", (json_int_t)notice_number(notify->notice), "people",
                               (json_int_t)notice_people(notify->notice, &people), "summary",
                               cli_json_table(summary, kinds));
    CHECK(object != NULL);
    return cli_json_print(object, false, error);
}

static enum status print_plan(struct notify *notify, const struct table *summary,
                              struct error *error)
{
    const struct notice_variant *variants;
    struct mail_message message;
    cli_notify_print_summary(stdout, summary);
    if (notice_variants(notify->notice, &variants) > 0) {
        TRY(notice_render_sample(notify->notice, 0, NOTICE_SAMPLE_COMMON, "name@mail.example",
                                 clock_now_ns(), &notify->arena, &message, error));
        cli_print_heading(stdout, "The first text, to an invented person");
        printf("From: %s <%s>\nSubject: %s\n\n%s\n", message.from_name, message.from_address,
               message.subject, message.text);
    }
    cli_print_pair(stdout, "hash", notice_hash(notify->notice));
    printf("\nlook at every text: cofferdam incident notify %" PRId64 " --dry-run --sample DIR\n"
           "approve and send:   cofferdam incident notify %" PRId64 " --send --approve HASH\n",
           notify->incident, notify->incident);
    return STATUS_OK;
}

static enum status dry_run(struct notify *notify, struct error *error)
{
    struct table summary;
    const char *folder = cli_value(notify->call, "sample");
    TRY(open_plan(notify, error));
    TRY(approval_keep(notify->casework, notify->scope, notify->notice, error));
    if (folder != NULL)
        TRY(write_samples(notify, folder, error));
    TRY(notice_summary(notify->notice, &summary, error));
    enum status status = notify->call->json ? print_plan_json(notify, &summary, error)
                                            : print_plan(notify, &summary, error);
    table_free(&summary);
    TRY(status);
    return cli_incident_warn_later(notify->casework, notify->incident, 0, error);
}

static enum status test(struct notify *notify, struct error *error)
{
    const struct notice_variant *variants;
    const char *address = cli_value(notify->call, "test");
    if (!mail_address_usable(address))
        return cli_usage(notify->call, error, "--test takes a mail address");
    TRY(open_plan(notify, error));
    size_t count = notice_variants(notify->notice, &variants);
    for (size_t i = 0; i < count; i++) {
        struct mail_message message;
        arena_reset(&notify->arena);
        TRY(notice_render_sample(notify->notice, i, NOTICE_SAMPLE_COMMON, address, clock_now_ns(),
                                 &notify->arena, &message, error));
        message.subject = arena_printf(&notify->arena, "[TEST] %s", message.subject);
        if (message.subject == NULL)
            return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
        TRY(sending_one(notify->casework->config, &message, error));
    }
    printf("%zu texts handed over for %s\n", count, address);
    return STATUS_OK;
}

/* ---- sending ---- */

static atomic_bool stop; /* lock-free: set by a signal's handler */

/* The second signal ends the program at once; that is safe, too. */
static void on_stop(int number)
{
    (void)number;
    stop = true;
}

static void catch_stops(void)
{
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static enum status print_states(const struct cli_call *call, const struct outbox_counts *counts,
                                struct error *error)
{
    struct table table;
    TRY(cli_notify_states(counts, &table, error));
    enum status status = cli_incident_print_table(call, &table, error);
    table_free(&table);
    return status;
}

static enum status tell_end(const struct notify *notify, enum sending_end end,
                            const struct outbox_counts *counts, struct error *error)
{
    if (end == SENDING_STOPPED)
        return error_set(error, STATUS_CLOSED, "57014", "go on with --resume",
                         "stopped before everybody had a message");
    if (end == SENDING_IN_DOUBT)
        return error_set(error, STATUS_DENIED, "55000",
                         "the mail server's log may tell; then --doubt resend or --doubt letter",
                         "%" PRIu64 " people are in doubt: no answer came for their messages",
                         counts->states[OUTBOX_IN_DOUBT]);
    if (end == SENDING_PAUSED)
        printf("paused; go on with: cofferdam incident notify %" PRId64 " --resume\n",
               notify->incident);
    uint64_t letters = counts->states[OUTBOX_LETTER] + counts->states[OUTBOX_REFUSED] +
                       counts->states[OUTBOX_BOUNCED];
    if (end == SENDING_DONE && letters > 0)
        printf("%" PRIu64 " people need a letter: cofferdam incident notify %" PRId64
               " --letters FILE\n",
               letters, notify->incident);
    return STATUS_OK;
}

static enum status run_sending(struct notify *notify, struct error *error)
{
    struct cli_notify_bar bar;
    struct sending_progress progress = {0};
    enum sending_end end;
    const struct sending_order order = {.notice = notice_number(notify->notice),
                                        .stop = &stop,
                                        .show = cli_notify_bar_show,
                                        .context = &bar};
    catch_stops();
    cli_notify_bar_start(&bar);
    enum status status = sending_run(notify->casework, notify->scope, notify->notice, &order, &end,
                                     &progress, error);
    cli_notify_bar_end(&bar);
    TRY(status);
    TRY(print_states(notify->call, &progress.counts, error));
    return tell_end(notify, end, &progress.counts, error);
}

static enum status send_approved(struct notify *notify, struct error *error)
{
    const char *hash;
    hash = cli_value(notify->call, "approve");
    if (hash == NULL)
        return cli_usage(notify->call, error,
                         "--send needs --approve HASH: the hash that --dry-run prints");
    TRY(casework_check_open(notify->casework, notify->incident, error));
    TRY(open_plan(notify, error));
    TRY(sending_check(notify->casework->config, error));
    TRY(publish_check(notify->casework, notify->notice, notify->scope, error));
    TRY(approval_give(notify->casework, notify->scope, notify->notice, hash,
                      cli_value(notify->call, "why"), error));
    return run_sending(notify, error);
}

static enum status set_paused(struct notify *notify, bool paused, struct error *error)
{
    struct outbox *outbox = NULL;
    TRY(sending_outbox(notify->casework, notify->incident, false, &outbox, error));
    enum status status = outbox_set_paused(outbox, paused, error);
    outbox_close(outbox);
    return status;
}

static enum status decide(struct notify *notify, const char *step, const char *fallback,
                          struct error *error)
{
    const char *why = cli_value(notify->call, "why");
    struct incident incident;
    TRY(incidents_get(notify->casework->incidents, notify->incident, &notify->arena, &incident,
                      error));
    return casework_decide(notify->casework, notify->incident, incident.partner, step,
                           why != NULL ? why : fallback, error);
}

/* The pause comes first: it must work while the gateway does not. */
static enum status pause_sending(struct notify *notify, struct error *error)
{
    TRY(find_approved(notify, error));
    TRY(set_paused(notify, true, error));
    printf("paused: no new batch begins\n");
    return decide(notify, "pause notice", "no reason given", error);
}

static enum status resume(struct notify *notify, struct error *error)
{
    TRY(casework_check_open(notify->casework, notify->incident, error));
    TRY(open_approved(notify, error));
    TRY(sending_check(notify->casework->config, error));
    TRY(publish_check(notify->casework, notify->notice, notify->scope, error));
    TRY(decide(notify, "resume notice", "no reason given", error));
    TRY(set_paused(notify, false, error));
    return run_sending(notify, error);
}

/* ---- afterwards ---- */

/* Notices that have come since. */
static enum status read_bounces(const struct notify *notify, struct outbox *outbox,
                                struct error *error)
{
    struct maildir *bounces = NULL;
    const char *folder = notify->casework->config->mail.bounce_folder;
    if (folder == NULL)
        return STATUS_OK;
    TRY(maildir_open(folder, &bounces, error));
    enum status status = bounces_read(bounces, outbox, clock_now_ns(), error);
    maildir_close(bounces);
    return status;
}

static enum status show_status(struct notify *notify, struct error *error)
{
    struct outbox *outbox = NULL;
    struct outbox_counts counts;
    bool paused = false;
    TRY(find_approved(notify, error));
    TRY(sending_outbox(notify->casework, notify->incident, false, &outbox, error));
    struct error unread; /* told, and no reason to be silent */
    if (read_bounces(notify, outbox, &unread) != STATUS_OK)
        fprintf(stderr, "delivery notices cannot be read: %s\n", unread.message);
    enum status status = outbox_count(outbox, notify->approved.number, &counts, error);
    if (status == STATUS_OK)
        status = outbox_paused(outbox, &paused, error);
    outbox_close(outbox);
    TRY(status);
    if (!notify->call->json)
        printf("notice %" PRId64 ", approved by %s%s%s\n", notify->approved.number,
               notify->approved.approved_by, paused ? ", paused" : "",
               notify->approved.finished_ns != INT64_MIN ? ", everybody has an outcome" : "");
    return print_states(notify->call, &counts, error);
}

static enum status resolve_doubt(struct notify *notify, struct error *error)
{
    const char *what = cli_value(notify->call, "doubt"), *why;
    struct outbox *outbox = NULL;
    uint64_t count = 0;
    bool resend = strcmp(what, "resend") == 0;
    if (!resend && strcmp(what, "letter") != 0)
        return cli_usage(notify->call, error, "--doubt takes resend or letter");
    TRY(cli_require(notify->call, "why", &why, error));
    TRY(casework_check_open(notify->casework, notify->incident, error));
    TRY(find_approved(notify, error));
    TRY(sending_outbox(notify->casework, notify->incident, true, &outbox, error));
    /* A notice may have come that ends the doubt. */
    enum status status = read_bounces(notify, outbox, error);
    if (status == STATUS_OK)
        status = decide(notify, resend ? "send again those in doubt" : "letters to those in doubt",
                        why, error);
    if (status == STATUS_OK)
        status = outbox_resolve_doubt(outbox, notify->approved.number,
                                      resend ? OUTBOX_READY : OUTBOX_LETTER, &count, error);
    outbox_close(outbox);
    TRY(status);
    printf("%" PRIu64 " people in doubt: %s\n", count,
           resend ? "they are sent another message by --resume" : "they get a letter");
    return STATUS_OK;
}

static enum status write_letters(struct notify *notify, struct error *error)
{
    struct outbox *outbox = NULL;
    struct dispatch_letters letters;
    TRY(casework_check_open(notify->casework, notify->incident, error));
    TRY(open_approved(notify, error));
    TRY(sending_outbox(notify->casework, notify->incident, false, &outbox, error));
    enum status status =
        dispatch_write_letters(notify->casework, notify->scope, notify->notice, outbox,
                               cli_value(notify->call, "letters"), &letters, error);
    outbox_close(outbox);
    TRY(status);
    printf("%" PRIu64 " letters\n", letters.printed);
    if (letters.without > 0)
        printf("%" PRIu64 " people have no usable postal address: a public notice\n",
               letters.without);
    if (letters.gone > 0)
        printf("%" PRIu64 " people are no longer in the database\n", letters.gone);
    return STATUS_OK;
}

static enum status write_proof(struct notify *notify, struct error *error)
{
    struct outbox *outbox = NULL;
    const char *path = cli_value(notify->call, "proof");
    TRY(open_approved(notify, error));
    TRY(sending_outbox(notify->casework, notify->incident, false, &outbox, error));
    FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "wxe");
    enum status status = out == NULL ? error_set_errno(error, errno, "%s", path)
                                     : dispatch_write_proof(notify->scope, notify->notice, outbox,
                                                            notify->approved.number, out, error);
    if (out != NULL && out != stdout && fclose(out) != 0 && status == STATUS_OK)
        status = error_set_errno(error, errno, "%s", path);
    outbox_close(outbox);
    return status;
}

/* ---- the verb ---- */

static const struct {
    const char *option;
    enum status (*run)(struct notify *notify, struct error *error);
} modes[] = {
    {"dry-run", dry_run},     {"test", test},
    {"send", send_approved},  {"pause", pause_sending},
    {"resume", resume},       {"status", show_status},
    {"doubt", resolve_doubt}, {"letters", write_letters},
    {"proof", write_proof},
};
enum { MODES = sizeof modes / sizeof modes[0] };

static enum status run(struct cli_call *call, struct error *error)
{
    struct notify notify = {.call = call};
    size_t mode = MODES, given = 0;
    for (size_t i = 0; i < MODES; i++)
        if (cli_value(call, modes[i].option) != NULL) {
            mode = i;
            given++;
        }
    if (given != 1)
        return cli_usage(call, error,
                         "one of --dry-run, --test, --send, --pause, --resume, --status, --doubt, "
                         "--letters, --proof is needed");
    TRY(cli_incident_number(call, &notify.incident, error));
    TRY(cli_incident_casework(call, true, &notify.casework, error));
    arena_init(&notify.arena, ARENA_BYTES);
    enum status status = modes[mode].run(&notify, error);
    notice_close(notify.notice);
    scope_close(notify.scope);
    arena_free(&notify.arena);
    casework_close(notify.casework);
    return status;
}

const struct cli_command verb_incident_notify = {
    .arguments = "N",
    .least = 1,
    .most = 1,
    .takes = CLI_TAKES_CONFIG | CLI_TAKES_JSON,
    .options = options,
    .description =
        "Tells each person of the incident's newest phase what was taken: one message a person,\n"
        "with that person's own categories. First --dry-run, which prints a hash; --send takes\n"
        "that very hash and nothing else. It runs until everybody has an outcome, and can be\n"
        "stopped (Ctrl-C, --pause) or killed at any moment: --resume goes on, and nobody gets "
        "two.\n"
        "\"Handed over\" means that the mail server took it, never that it was received.",
    .examples = "incident notify 1 --dry-run --sample /tmp/texts\n"
                "incident notify 1 --test dpo@meridian.example\n"
                "incident notify 1 --send --approve 5f1c…\n"
                "incident notify 1 --status\n"
                "incident notify 1 --letters letters.csv\n",
    .exits = "it failed, it was stopped, or people are left in doubt",
    .run = run,
};
