/* What the breach path leaves in the ledger: acts of staff, readings of our own, and what staff
 * tell of partners: exports that did not go through the gateway, deletions that a partner attests.
 * All of it is durable when it is answered. */
#include "gateway/admin/admin_asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/limits.h"
#include "crypto/crypto.h"
#include "gateway/admin/admin_recording.h"
#include "gateway/login/renewal_desk.h"
#include "gateway/login/tls_desk.h"
#include "identity/identity.h"
#include "registry/revocations.h"

enum { TOLD_BYTES = 16 * 1024, COLUMNS_BYTES = LIMIT_LEDGER_ENTRY_BYTES - 1024 };

static void set_number(struct table *table, struct table_row *row, size_t column, uint64_t number)
{
    table_set(table, row, column, "%llu", (unsigned long long)number);
}

/* ---- acts ---- */

/* What the gateway does by itself must not be told by others in its words. */
static bool is_own_act(const char *text)
{
    static const char *const words[] = {"contain",
                                        "contain-credential",
                                        "restore",
                                        "restore-credential",
                                        "restore-proposed",
                                        "reload",
                                        "revoke-credential",
                                        "certificate-issued",
                                        RENEWAL_DESK_ACT,
                                        "rotate",
                                        "start",
                                        "stop",
                                        "erase",
                                        "delivery",
                                        "retain",
                                        "retain-proposed",
                                        "total-forgotten",
                                        ALARM_ACT,
                                        ALARM_ACT_ACKNOWLEDGED,
                                        "session-opened",
                                        "request-made",
                                        "request-approved",
                                        "request-denied",
                                        "request-revoked",
                                        TLS_DESK_ACT,
                                        "login-failures",
                                        EXPOSURE_ACT_PROPOSED,
                                        EXPOSURE_ACT_RAISED,
                                        EXPOSURE_ACT_REVOKED,
                                        EXPOSURE_ACT_WARNING};
    size_t len = strcspn(text, " \t\r\n");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == len && strncasecmp(text, words[i], len) == 0)
            return true;
    return false;
}

enum status admin_record_act(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"sequence", NULL};
    const char *text, *partner = NULL;
    char who[RECORDING_WHO_ROOM], full[RECORDING_TEXT_BYTES + RECORDING_WHO_ROOM + 8];
    TRY(recording_text(asking, "ACT", true, &text, error));
    TRY(recording_who(asking, who, error));
    if (is_own_act(text))
        return error_set(error, STATUS_DENIED, "22023", "begin with another word",
                         "acts that begin like this are the gateway's own");
    snprintf(full, sizeof full, "%s by=%s", text, who);
    struct snapshot *snapshot = server_snapshot(asking->server);
    struct recording recording = recording_begin(asking->server, snapshot, LEDGER_ACT);
    enum status status = STATUS_OK;
    if (admin_option(asking, "PARTNER") != NULL)
        status = recording_partner(asking, snapshot->policy, &partner, error);
    if (status == STATUS_OK) {
        recording.entry.partner = slice_of_text(partner == NULL ? "" : partner);
        recording.entry.text = slice_of_text(full);
        status = recording_alone(&recording, error);
    }
    snapshot_release(snapshot);
    TRY(status);
    recording_wait(&recording);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    set_number(table, table_add(table), 0, recording.sequence);
    return STATUS_OK;
}

/* ---- readings of our own ---- */

/* Every id must stand for somebody of this kind whom we can still name. */
static enum status check_ids(struct exposure *exposure, uint16_t kind, const char *text,
                             size_t *count, struct error *error)
{
    uint32_t first, last, next = 0;
    enum status status;
    *count = 0;
    while ((status = recording_range(&text, &first, &last, error)) == STATUS_OK) {
        if (first < next)
            return error_set(error, STATUS_DENIED, "22023", NULL, "IDS does not ascend");
        next = last + 1;
        for (uint32_t id = first; id <= last; id++, (*count)++) {
            char key[LIMIT_SUBJECT_KEY_BYTES + 1];
            uint16_t found;
            if (exposure_key(exposure, id, &found, key) != STATUS_OK || found != kind)
                return error_set(error, STATUS_NOT_FOUND, "02000", NULL,
                                 "subject id %u is unknown, erased, or of another kind", id);
        }
    }
    if (status != STATUS_CLOSED)
        return status;
    return *count > 0 ? STATUS_OK
                      : error_set(error, STATUS_DENIED, "22023", "write IDS '1-500 502'",
                                  "IDS names nobody");
}

static enum status record_ids(struct recording *recording, const char *text, size_t count,
                              struct error *error)
{
    uint32_t first, last, *ids = calloc(count, sizeof *ids);
    size_t at = 0;
    if (ids == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    while (recording_range(&text, &first, &last, error) == STATUS_OK)
        for (uint32_t id = first; id <= last; id++)
            ids[at++] = id;
    enum status status = recording_people(recording, ids, at, slice_of(NULL, 0), true, error);
    free(ids);
    return status;
}

static enum status read_columns(struct asking *asking, const struct snapshot *snapshot,
                                bool clear_only, struct recording *recording, struct error *error)
{
    struct buffer canonical;
    const char *names = admin_option(asking, "COLUMNS");
    TRY(recording_kind(asking, snapshot->policy, &recording->kind, error));
    if (names == NULL)
        return error_set(error, STATUS_DENIED, "22023", "add COLUMNS 'dataset.column,…'",
                         "which columns is not said");
    buffer_init(&canonical, COLUMNS_BYTES);
    enum status status =
        recording_columns(snapshot->policy, recording->kind, names, clear_only, &canonical, error);
    if (status == STATUS_OK)
        status = ledger_column_set(asking->server->ledger, buffer_text(&canonical),
                                   &recording->column_set, error);
    recording->entry.column_set = recording->column_set;
    buffer_free(&canonical);
    return status;
}

static enum status record_read(struct asking *asking, const struct snapshot *snapshot,
                               struct recording *recording, size_t *count, struct error *error)
{
    const char *purpose, *ids = admin_option(asking, "IDS");
    char who[RECORDING_WHO_ROOM], text[RECORDING_WHO_ROOM + 4];
    TRY(recording_text(asking, "PURPOSE", true, &purpose, error));
    TRY(recording_who(asking, who, error));
    TRY(read_columns(asking, snapshot, true, recording, error));
    TRY(check_ids(asking->server->exposure, recording->kind, ids == NULL ? "" : ids, count, error));
    snprintf(text, sizeof text, "by=%s", who);
    recording->entry.agent = slice_of_text("cofferdam.contact");
    recording->entry.purpose = slice_of_text(purpose);
    recording->entry.text = slice_of_text(text);
    return record_ids(recording, ids, *count, error);
}

enum status admin_record_read(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"sequence", "subjects", NULL};
    size_t count = 0;
    struct snapshot *snapshot = server_snapshot(asking->server);
    struct recording recording = recording_begin(asking->server, snapshot, LEDGER_DISCLOSURE);
    enum status status = record_read(asking, snapshot, &recording, &count, error);
    snapshot_release(snapshot);
    TRY(status);
    recording_wait(&recording);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    set_number(table, row, 0, recording.sequence);
    set_number(table, row, 1, count);
    return STATUS_OK;
}

/* ---- what staff tell of partners ---- */

/* A line of a told entry's text; nothing where the value is NULL or "". */
static void put_line(struct buffer *text, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0')
        buffer_printf(text, "%s%s=%s", text->len == 0 ? "" : "\n", key, value);
}

static enum status read_keys(struct asking *asking, uint16_t kind, struct subject_key **keys,
                             size_t *count, struct error *error)
{
    const char *text = admin_option(asking, "KEYS");
    TRY(recording_keys(kind, text == NULL ? "" : text, keys, count, error));
    if (*count > 0)
        return STATUS_OK;
    free(*keys);
    return error_set(error, STATUS_DENIED, "22023", "one key a line", "KEYS names nobody");
}

/* Moves the keys that the ledger knows to the front; returns how many. */
static size_t keep_known(struct exposure *exposure, struct subject_key *keys, size_t count)
{
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t id;
        struct subject_key key = keys[i];
        if (exposure_find(exposure, key.kind, key.key, &id) != STATUS_OK)
            continue;
        keys[i] = keys[known];
        keys[known++] = key;
    }
    return known;
}

static enum status declare_text(struct asking *asking, struct buffer *text, struct error *error)
{
    char at[21], who[RECORDING_WHO_ROOM];
    const char *reason;
    TRY(recording_instant(asking, "AT", true, at, error));
    TRY(recording_text(asking, "REASON", true, &reason, error));
    TRY(recording_who(asking, who, error));
    put_line(text, "at", at);
    put_line(text, "reason", reason);
    put_line(text, "by", who);
    return STATUS_OK;
}

/* Of one command: how many people, and how many of their keys were known before. */
struct told {
    size_t subjects, known;
};

static enum status declare(struct asking *asking, const struct snapshot *snapshot,
                           struct recording *recording, struct buffer *text, struct told *told,
                           struct error *error)
{
    const char *partner, *purpose;
    struct subject_key *keys;
    size_t count;
    TRY(recording_partner(asking, snapshot->policy, &partner, error));
    TRY(recording_text(asking, "PURPOSE", false, &purpose, error));
    TRY(declare_text(asking, text, error));
    TRY(recording_kind(asking, snapshot->policy, &recording->kind, error));
    TRY(read_keys(asking, recording->kind, &keys, &count, error));
    enum status status = read_columns(asking, snapshot, false, recording, error);
    if (status == STATUS_OK) {
        recording->entry.partner = slice_of_text(partner);
        recording->entry.purpose = slice_of_text(purpose == NULL ? "" : purpose);
        recording->entry.text = buffer_slice(text);
        told->known = keep_known(asking->server->exposure, keys, count);
        status = recording_subjects(recording, keys, count, &told->subjects, error);
    }
    free(keys);
    return status;
}

enum status admin_declare_export(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"sequence", "subjects", "known", NULL};
    struct told told = {0};
    struct buffer text;
    buffer_init(&text, TOLD_BYTES);
    struct snapshot *snapshot = server_snapshot(asking->server);
    struct recording recording = recording_begin(asking->server, snapshot, LEDGER_DECLARED);
    enum status status = declare(asking, snapshot, &recording, &text, &told, error);
    snapshot_release(snapshot);
    buffer_free(&text);
    TRY(status);
    recording_wait(&recording);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    set_number(table, row, 0, recording.sequence);
    set_number(table, row, 1, told.subjects);
    set_number(table, row, 2, told.known);
    return STATUS_OK;
}

static enum status check_evidence(const char *evidence, struct error *error)
{
    enum { HEX_BYTES = 64 };
    if (evidence == NULL ||
        (strlen(evidence) == HEX_BYTES && strspn(evidence, "0123456789abcdef") == HEX_BYTES))
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "22023", "give the SHA-256 of the partner's document",
                     "EVIDENCE is not 64 lower-case hexadecimal digits");
}

/* The bytes behind SIGNATURE 'base64'. */
static enum status read_signature(const char *text, struct buffer *bytes, struct error *error)
{
    size_t len = strlen(text);
    uint8_t *room = len > 2 * IDENTITY_SIGNATURE_BYTES ? NULL : buffer_reserve(bytes, len + 3);
    if (room == NULL)
        return error_set(error, STATUS_DENIED, "54000", NULL, "SIGNATURE is longer than %d bytes",
                         IDENTITY_SIGNATURE_BYTES);
    TRY(crypto_base64_decode(text, len, room, &len));
    bytes->len = len;
    return STATUS_OK;
}

static void put_signature(struct buffer *text, const struct identity_signature *signature,
                          struct slice bytes)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    char hex[2 * CRYPTO_SHA256_BYTES + 1], when[21];
    crypto_sha256(&bytes, 1, digest);
    crypto_hex(digest, sizeof digest, hex);
    put_line(text, "signer", signature->agent->login);
    put_line(text, "certificate", signature->certificate_sha256);
    put_line(text, "signature", hex);
    if (signature->signed_ns == INT64_MIN)
        return;
    clock_format_utc(signature->signed_ns, when);
    put_line(text, "signed", when);
}

/* What has been signed says nothing of what came later: an old signature is not to be used for a
 * new claim. Nor does that of a contained agent, or of a revoked certificate, whose key may be in
 * other hands. */
static enum status check_signing(struct asking *asking, const struct policy_partner *partner,
                                 const struct identity_signature *signature, struct error *error)
{
    const int64_t second = 1000000000, clocks_differ = 300 * second;
    int64_t before_ns;
    char when[21];
    struct registry *registry = asking->server->registry;
    const struct credential *credential = &signature->credential;
    if (registry_revoked(registry, credential->issuer, credential->id))
        return error_set(error, STATUS_DENIED, "28000", "have it signed with the agent's next one",
                         "the signature is not accepted: its certificate has been revoked");
    if (registry_contained(registry, partner->name, signature->agent->name, credential->id))
        return error_set(error, STATUS_DENIED, "28000",
                         "record it with TOLD_BY, or once its certificate has been replaced and it "
                         "is restored",
                         "the signature is not accepted: agent %s is contained, so that anybody "
                         "may have its key",
                         signature->agent->login);
    if (signature->signed_ns == INT64_MIN)
        return error_set(error, STATUS_DENIED, "28000", "openssl cms -sign adds a signing time",
                         "the signature is not accepted: it does not say when it was made");
    clock_format_utc(signature->signed_ns, when);
    if (signature->signed_ns > clock_now_ns() + clocks_differ)
        return error_set(error, STATUS_DENIED, "28000", "set the signer's clock, and sign again",
                         "the signature is not accepted: it was made on %s, in the future", when);
    TRY(clock_parse(admin_option(asking, "BEFORE"), &before_ns, error));
    if (before_ns >= signature->signed_ns + second)
        return error_set(
            error, STATUS_DENIED, "28000",
            "BEFORE can be as late as that; for what came later a new signature is "
            "needed",
            "the signature is not accepted: it was made on %s, and cannot tell of what "
            "was received later",
            when);
    return STATUS_OK;
}

static enum status check_signature(struct asking *asking, const char *given, struct buffer *bytes,
                                   const struct policy_partner *partner, struct buffer *text,
                                   struct error *error)
{
    const char *evidence = admin_option(asking, "EVIDENCE");
    struct trust *trust = asking->server->trust;
    struct identity_signature signature;
    uint8_t digest[CRYPTO_SHA256_BYTES];
    if (evidence == NULL || partner == NULL || trust == NULL)
        return error_set(error, STATUS_DENIED, "22023",
                         "add EVIDENCE 'hash'; listen.client_ca or listen.authorities; and a "
                         "partner that has agents",
                         "SIGNATURE needs the document's hash, and somebody whose signature it is");
    for (size_t i = 0; i < sizeof digest; i++) {
        char two[3] = {evidence[2 * i], evidence[2 * i + 1], '\0'};
        digest[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    if (read_signature(given, bytes, error) != STATUS_OK)
        return error_set(error, STATUS_DENIED, "22023", "the CMS message in base64",
                         "SIGNATURE is no base64, or too long");
    TRY(identity_check_signature(buffer_slice(bytes), digest, trust, partner, &signature, error));
    TRY(check_signing(asking, partner, &signature, error));
    put_signature(text, &signature, buffer_slice(bytes));
    return STATUS_OK;
}

/* Signed by an agent of the partner, or the word of somebody. Neither: as it was told to us. */
static enum status who_attests(struct asking *asking, const struct policy_partner *partner,
                               struct buffer *text, struct error *error)
{
    const char *signature = admin_option(asking, "SIGNATURE"), *told_by;
    struct buffer bytes;
    TRY(recording_text(asking, "TOLD_BY", false, &told_by, error));
    if (signature != NULL && told_by != NULL)
        return error_set(error, STATUS_DENIED, "22023", "leave TOLD_BY out",
                         "what is signed needs nobody who told it");
    put_line(text, "told_by", told_by);
    if (signature == NULL)
        return STATUS_OK;
    buffer_init(&bytes, 3 * IDENTITY_SIGNATURE_BYTES);
    enum status status = check_signature(asking, signature, &bytes, partner, text, error);
    buffer_free(&bytes);
    return status;
}

static enum status deletion_text(struct asking *asking, const struct policy_partner *partner,
                                 struct buffer *text, struct error *error)
{
    static const struct {
        const char *option, *key;
        bool required;
    } parts[] = {
        {"REQUEST", "request", true},
        {"METHOD", "method", true},
        {"SYSTEMS", "systems", false},
        {"BACKUPS", "backups", false},
        {"SUB_PROCESSORS", "sub_processors", false},
        {"EVIDENCE", "evidence", false},
    };
    char before[21], who[RECORDING_WHO_ROOM];
    TRY(recording_instant(asking, "BEFORE", true, before, error));
    TRY(check_evidence(admin_option(asking, "EVIDENCE"), error));
    put_line(text, "before", before);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const char *value;
        TRY(recording_text(asking, parts[i].option, parts[i].required, &value, error));
        put_line(text, parts[i].key, value);
    }
    TRY(who_attests(asking, partner, text, error));
    TRY(recording_who(asking, who, error));
    put_line(text, "by", who);
    return STATUS_OK;
}

/* Keys that were never disclosed to anyone need no deletion, and get no id for it. */
static enum status delete_subjects(struct asking *asking, const struct snapshot *snapshot,
                                   struct recording *recording, struct told *told, size_t *unknown,
                                   struct error *error)
{
    struct subject_key *keys;
    size_t count;
    TRY(recording_kind(asking, snapshot->policy, &recording->kind, error));
    TRY(read_keys(asking, recording->kind, &keys, &count, error));
    told->known = keep_known(asking->server->exposure, keys, count);
    *unknown = count - told->known;
    enum status status = recording_subjects(recording, keys, told->known, &told->subjects, error);
    free(keys);
    return status;
}

static enum status delete (struct asking *asking, const struct snapshot *snapshot,
                           struct recording *recording, struct buffer *text, struct told *told,
                           size_t *unknown, struct error *error) {
    const char *partner; TRY(recording_partner(asking, snapshot->policy, &partner, error));
    TRY(deletion_text(asking, policy_find_partner(snapshot->policy, partner), text, error));
    recording->entry.partner = slice_of_text(partner);
    recording->entry.text = buffer_slice(text);
    if (admin_option(asking, "KEYS") == NULL &&
        admin_option(asking, "KIND") == NULL) return recording_alone(recording, error);
    return delete_subjects(asking, snapshot, recording, told, unknown, error);
}

enum status admin_record_deletion(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"sequence", "subjects", "unknown", NULL};
    struct told told = {0};
    size_t unknown = 0;
    struct buffer text;
    buffer_init(&text, TOLD_BYTES);
    struct snapshot *snapshot = server_snapshot(asking->server);
    struct recording recording = recording_begin(asking->server, snapshot, LEDGER_DELETED);
    enum status status = delete (asking, snapshot, &recording, &text, &told, &unknown, error);
    snapshot_release(snapshot);
    buffer_free(&text);
    TRY(status);
    recording_wait(&recording);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    set_number(table, row, 0, recording.sequence);
    if (admin_option(asking, "KEYS") != NULL) {
        set_number(table, row, 1, told.subjects);
        set_number(table, row, 2, unknown);
    }
    return STATUS_OK;
}
