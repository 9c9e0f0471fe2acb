/* See bounces.h. A notice that is read twice changes nothing. */
#include "incident/bounces.h"

#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "mail/mail.h"

enum { MAIL_BYTES = 1 << 20 };

/* The envelope id of the address that the notice came to (VERP). */
static const char *verp_of(struct mail_report *report)
{
    char *plus = strchr(report->recipient, '+');
    char *at = strchr(report->recipient, '@');
    if (plus == NULL || at == NULL || plus > at)
        return "";
    *at = '\0';
    for (char *c = plus + 1; *c != '\0'; c++) /* some servers write addresses in capitals */
        *c = (char)tolower((unsigned char)*c);
    return plus + 1;
}

/* The envelope id as the notice gives it; from its address, where a server on the way knew no DSN
 * or gave an id of its own. */
static enum status take_report(struct outbox *outbox, struct mail_report *report, int64_t now_ns,
                               struct error *error)
{
    enum status status = outbox_take_report(outbox, report->envelope_id, report->action,
                                            report->status, now_ns, error);
    if (status == STATUS_NOT_FOUND)
        status = outbox_take_report(outbox, verp_of(report), report->action, report->status, now_ns,
                                    error);
    return status;
}

struct taking {
    struct outbox *outbox;
    int64_t now_ns;
};

static enum status take_mail(void *context, const char *path, struct error *error)
{
    const struct taking *taking = context;
    struct buffer mail;
    struct mail_report report;
    buffer_init(&mail, MAIL_BYTES);
    enum status status = file_read(path, &mail, error);
    if (status == STATUS_LIMIT)
        status = STATUS_NOT_FOUND; /* no notice is that long */
    if (status == STATUS_OK)
        status = mail_parse_report(buffer_slice(&mail), &report, error);
    if (status == STATUS_OK)
        status = take_report(taking->outbox, &report, taking->now_ns, error);
    buffer_free(&mail);
    return status;
}

static enum status sync_outbox(void *context, struct error *error)
{
    const struct taking *taking = context;
    return outbox_sync(taking->outbox, error);
}

enum status bounces_look(struct maildir *maildir, struct outbox *outbox, int64_t now_ns, bool *more,
                         struct error *error)
{
    struct taking taking = {.outbox = outbox, .now_ns = now_ns};
    const struct maildir_reader reader = {
        .take = take_mail, .sync = sync_outbox, .context = &taking};
    return maildir_look(maildir, &reader, more, error);
}

enum status bounces_read(struct maildir *maildir, struct outbox *outbox, int64_t now_ns,
                         struct error *error)
{
    struct taking taking = {.outbox = outbox, .now_ns = now_ns};
    const struct maildir_reader reader = {
        .take = take_mail, .sync = sync_outbox, .context = &taking};
    return maildir_read(maildir, &reader, error);
}
