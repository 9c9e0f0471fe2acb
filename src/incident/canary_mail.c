/* See canary_mail.h. */
#include "incident/canary_mail.h"

#include "base/file.h"
#include "mail/mail.h"

enum { COMMAND_BYTES = 32 * 1024 };

static enum status read_arrival(const struct casework *casework, const char *path,
                                struct mail_arrival *arrival, struct error *error)
{
    struct buffer mail;
    buffer_init(&mail, MAIL_HEADER_BYTES);
    enum status status = file_read(path, &mail, error);
    if (status == STATUS_OK || status == STATUS_LIMIT)
        status = mail_parse_arrival(buffer_slice(&mail), casework->config->canaries.mailbox_domain,
                                    arrival, error);
    buffer_free(&mail);
    return status;
}

static void write_command(const struct mail_arrival *arrival, struct buffer *command)
{
    struct buffer recipients;
    buffer_init(&recipients, COMMAND_BYTES);
    for (size_t i = 0; i < arrival->count; i++)
        buffer_printf(&recipients, "%s%s", i == 0 ? "" : "\n", arrival->recipients[i]);
    buffer_append_text(command, "REPORT MAIL");
    admin_client_clause(command, "TO", buffer_text(&recipients));
    admin_client_clause(command, "FROM", arrival->sender_domain);
    admin_client_clause(command, "MESSAGE", arrival->id_hash);
    buffer_free(&recipients);
}

/* *is_canary: an alarm of it is stored. */
static enum status report(struct casework *casework, const struct mail_arrival *arrival,
                          bool *is_canary, struct error *error)
{
    struct admin_client *admin;
    struct buffer command;
    struct table table;
    TRY(casework_admin(casework, &admin, error));
    buffer_init(&command, 2 * COMMAND_BYTES);
    write_command(arrival, &command);
    enum status status = admin_client_ask(admin, &command, &table, error);
    buffer_free(&command);
    if (status != STATUS_OK)
        return status;
    *is_canary = table.first != NULL;
    table_free(&table);
    return STATUS_OK;
}

static enum status take(void *context, const char *path, struct error *error)
{
    struct casework *casework = context;
    struct mail_arrival arrival;
    bool is_canary = false;
    TRY(read_arrival(casework, path, &arrival, error));
    enum status status = report(casework, &arrival, &is_canary, error);
    if (status == STATUS_NOT_FOUND) /* no gateway: that is no answer about the mail */
        status = error->status = STATUS_IO;
    if (status == STATUS_OK && !is_canary)
        status = error_set(error, STATUS_NOT_FOUND, "02000", NULL, "the mail is to no canary");
    return status;
}

enum status canary_mail_read(struct maildir *maildir, struct casework *casework, uint64_t *taken,
                             struct error *error)
{
    const struct maildir_reader reader = {.take = take, .context = casework};
    uint64_t before = maildir_count(maildir).taken;
    enum status status = maildir_read(maildir, &reader, error);
    *taken = maildir_count(maildir).taken - before;
    return status;
}
