/* Loads cofferdam.yaml through the policy's reader: strict keys, errors with line and column.
 * Everything lives in the arena behind the struct config that is handed out. */
#include "policy/config.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/limits.h"
#include "http/http.h"
#include "policy/config_parts.h"
#include "policy/yaml.h"

enum { ARENA_BYTES = 8 * 1024 * 1024, MOST_WORKERS = 64, DEFAULT_WORKERS = 8, DAY_MS = 86400000 };

const char config_installed_data[] = COFFERDAM_DATA_FOLDER;

struct config_owned {
    struct config config; /* first */
    struct arena arena;
};

const char *config_path_at(struct yaml *yaml, struct fy_node *map, const char *key,
                           const char *otherwise)
{
    const char *path = yaml_text_at(yaml, map, key, otherwise);
    return path == NULL ? NULL : yaml_file_path(yaml, path);
}

static const char *need_path(struct yaml *yaml, struct fy_node *map, const char *key)
{
    return yaml_file_path(yaml, yaml_need_text(yaml, map, key));
}

static uint32_t milliseconds_at(struct yaml *yaml, struct fy_node *map, const char *key,
                                uint32_t otherwise)
{
    return (uint32_t)yaml_number_at(yaml, map, key, 0, DAY_MS, otherwise);
}

static void load_listen(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {"max_unauthenticated",
                                       "max_unauthenticated_per_address",
                                       "address",
                                       "port",
                                       "certificate",
                                       "key",
                                       "client_ca",
                                       "max_sessions",
                                       "login_timeout_ms",
                                       "idle_timeout_ms",
                                       "write_timeout_ms",
                                       "authorities",
                                       "crls",
                                       "crl_grace_s",
                                       "crl_required",
                                       NULL};
    yaml_keys(yaml, node, keys);
    config->listen.address = yaml_text_at(yaml, node, "address", "0.0.0.0");
    config->listen.port = (uint16_t)yaml_number_at(yaml, node, "port", 0, UINT16_MAX, 7432);
    config->listen.certificate = need_path(yaml, node, "certificate");
    config->listen.key = need_path(yaml, node, "key");
    config->listen.client_ca = config_path_at(yaml, node, "client_ca", NULL);
    config_load_authorities(yaml, node, config);
    config->listen.max_sessions =
        (uint16_t)yaml_number_at(yaml, node, "max_sessions", 1, UINT16_MAX, 1000);
    config->listen.max_unauthenticated =
        (uint16_t)yaml_number_at(yaml, node, "max_unauthenticated", 10, UINT16_MAX, 2000);
    config->listen.max_unauthenticated_per_address = (uint16_t)yaml_number_at(
        yaml, node, "max_unauthenticated_per_address", 10, UINT16_MAX, 500);
    config->listen.login_timeout_ms =
        (uint32_t)yaml_number_at(yaml, node, "login_timeout_ms", 100, DAY_MS, 15000);
    config->listen.idle_timeout_ms = milliseconds_at(yaml, node, "idle_timeout_ms", 0);
    config->listen.write_timeout_ms =
        (uint32_t)yaml_number_at(yaml, node, "write_timeout_ms", 100, DAY_MS, 60000);
}

/* A uid, or the name of a user that this system knows. */
static uint32_t load_user(struct yaml *yaml, struct fy_node *node)
{
    const char *text = yaml_text(yaml, node);
    if (yaml_failed(yaml))
        return 0;
    if (strspn(text, "0123456789") == strlen(text))
        return (uint32_t)yaml_number(yaml, node, 0, UINT32_MAX - 1);
    struct passwd entry, *found = NULL;
    char room[4096];
    if (getpwnam_r(text, &entry, room, sizeof room, &found) != 0 || found == NULL)
        yaml_fail(yaml, node, "write a user's name or number", "no user \"%.60s\" on this system",
                  text);
    return found == NULL ? 0 : (uint32_t)found->pw_uid;
}

static void load_admin(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {"port", "users", NULL};
    if (node != NULL)
        yaml_keys(yaml, node, keys);
    config->admin.port = (uint16_t)yaml_number_at(yaml, node, "port", 1, UINT16_MAX, 5432);
    struct yaml_items items = yaml_list_items(yaml, yaml_get(yaml, node, "users"));
    uint32_t *users = yaml_array(yaml, uint32_t, items.count);
    while (users != NULL && yaml_next(yaml, &items))
        users[config->admin.user_count++] = load_user(yaml, items.value);
    config->admin.users = users;
}

/* Like libpq: what holds a slash is the folder of a unix socket. */
static bool is_folder(const char *host)
{
    return strchr(host, '/') != NULL;
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host));
}

static void check_upstream_tls(struct yaml *yaml, struct fy_node *node, const struct config *config)
{
    if (yaml_failed(yaml) || is_folder(config->upstream.host))
        return;
    if (config->upstream.tls_off && !is_loopback(config->upstream.host))
        yaml_fail(yaml, yaml_get(yaml, node, "tls_off"), "give tls_ca instead",
                  "TLS can be left out only to this machine itself");
    if (!config->upstream.tls_off && config->upstream.tls_ca == NULL)
        yaml_fail(yaml, node, "give the CA that signed the database's certificate",
                  "key \"tls_ca\" is missing: the connection to the database goes over a network");
}

static void load_channel_binding(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const words[] = {[CONFIG_BINDING_PREFER] = "prefer",
                                        [CONFIG_BINDING_REQUIRE] = "require",
                                        [CONFIG_BINDING_DISABLE] = "disable"};
    struct fy_node *value = yaml_get(yaml, node, "channel_binding");
    if (value == NULL)
        return;
    const char *text = yaml_text(yaml, value);
    size_t at = 0, count = sizeof words / sizeof words[0];
    while (!yaml_failed(yaml) && at < count && strcmp(text, words[at]) != 0)
        at++;
    if (yaml_failed(yaml))
        return;
    if (at == count)
        yaml_fail(yaml, value, "write prefer, require or disable",
                  "\"%.40s\" is not a way to bind the channel", text);
    else if (at == CONFIG_BINDING_REQUIRE &&
             (is_folder(config->upstream.host) || config->upstream.tls_off))
        yaml_fail(yaml, value, "connect over TLS: give host and tls_ca",
                  "there is no TLS channel to bind the login to");
    else
        config->upstream.channel_binding = (enum config_binding)at;
}

static void load_upstream(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {"host",
                                       "port",
                                       "database",
                                       "user",
                                       "tls_ca",
                                       "password_file",
                                       "tls_off",
                                       "channel_binding",
                                       "connect_timeout_ms",
                                       "max_connections",
                                       "statement_timeout_ms",
                                       NULL};
    yaml_keys(yaml, node, keys);
    const char *host = yaml_need_text(yaml, node, "host");
    config->upstream.host = is_folder(host) ? yaml_file_path(yaml, host) : host;
    config->upstream.port = (uint16_t)yaml_number_at(yaml, node, "port", 1, UINT16_MAX, 5432);
    config->upstream.database = yaml_need_text(yaml, node, "database");
    config->upstream.user = yaml_need_text(yaml, node, "user");
    config->upstream.password_file = config_path_at(yaml, node, "password_file", NULL);
    config->upstream.tls_ca = config_path_at(yaml, node, "tls_ca", NULL);
    config->upstream.tls_off = yaml_flag_at(yaml, node, "tls_off", false);
    config->upstream.connect_timeout_ms =
        (uint32_t)yaml_number_at(yaml, node, "connect_timeout_ms", 100, DAY_MS, 5000);
    config->upstream.statement_timeout_ms =
        milliseconds_at(yaml, node, "statement_timeout_ms", 600000);
    config->upstream.max_connections =
        (uint16_t)yaml_number_at(yaml, node, "max_connections", 1, UINT16_MAX, 200);
    check_upstream_tls(yaml, node, config);
    load_channel_binding(yaml, node, config);
}

void config_check_url(struct yaml *yaml, struct fy_node *node, const char *url, const char *what)
{
    if (!yaml_failed(yaml) && !http_url_is_safe(url))
        yaml_fail(yaml, node, "write https://host/path, without a user or blanks",
                  "%s is not one of https; TLS can be left out only to this machine itself", what);
}

/* What a witness answers is checked against its key; TLS keeps others from answering in its place
 * with refusals. */
static void load_witness(struct yaml *yaml, struct fy_node *node, struct config_witness *witness)
{
    static const char *const keys[] = {"key", "url", "ca", NULL};
    yaml_keys(yaml, node, keys);
    witness->key = yaml_need_text(yaml, node, "key");
    witness->url = yaml_need_text(yaml, node, "url");
    witness->ca = config_path_at(yaml, node, "ca", NULL);
    config_check_url(yaml, yaml_get(yaml, node, "url"), witness->url, "the witness's url");
}

static void load_witnesses(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    struct fy_node *list = yaml_get(yaml, node, "witnesses");
    struct yaml_items items = yaml_list_items(yaml, list);
    struct config_witness *witnesses = yaml_array(yaml, struct config_witness, items.count);
    if (items.count > CONFIG_WITNESSES)
        yaml_fail(yaml, list, NULL, "more than %d witnesses", CONFIG_WITNESSES);
    while (witnesses != NULL && yaml_next(yaml, &items))
        load_witness(yaml, items.value, &witnesses[config->ledger.witness_count++]);
    config->ledger.witnesses = witnesses;
    size_t count = config->ledger.witness_count;
    config->ledger.witness_quorum =
        (uint32_t)yaml_number_at(yaml, node, "witness_quorum", 0, count, count);
}

static void load_signing(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    config->ledger.signing_key = config_path_at(yaml, node, "signing_key", NULL);
    if (config->ledger.signing_key == NULL)
        config->ledger.signing_key = yaml_printf(yaml, "%s/ledger.key", config->state_folder);
    config->ledger.checkpoint_every_s =
        (uint32_t)yaml_number_at(yaml, node, "checkpoint_every_s", 1, DAY_MS / 1000, 3600);
}

static void load_ledger(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {"pace_us",   "segment_bytes",    "node",
                                       "tiles",     "publish_every_ms", "signing_key",
                                       "witnesses", "witness_quorum",   "checkpoint_every_s",
                                       NULL};
    static const uint64_t mebibyte = 1024 * 1024;
    if (node != NULL)
        yaml_keys(yaml, node, keys);
    config->ledger.pace_us = (uint32_t)yaml_number_at(yaml, node, "pace_us", 0, 1000000, 1000);
    config->ledger.segment_bytes =
        yaml_number_at(yaml, node, "segment_bytes", mebibyte, 1024 * mebibyte, 64 * mebibyte);
    config->ledger.node = yaml_text_at(yaml, node, "node", "node1");
    config->ledger.tiles = yaml_flag_at(yaml, node, "tiles", true);
    config->ledger.publish_every_ms =
        (uint32_t)yaml_number_at(yaml, node, "publish_every_ms", 10, DAY_MS, 10000);
    if (!yaml_failed(yaml) && strlen(config->ledger.node) > LIMIT_NAME_BYTES)
        yaml_fail(yaml, node, NULL, "the node's name is longer than %d bytes", LIMIT_NAME_BYTES);
    load_signing(yaml, node, config);
    load_witnesses(yaml, node, config);
}

static void load_limits(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {
        "statement_bytes", "statement_depth",   "relations", "targets",
        "cursors",         "max_lineage_bytes", NULL};
    if (node != NULL)
        yaml_keys(yaml, node, keys);
    config->limits.statement_bytes = (uint32_t)yaml_number_at(
        yaml, node, "statement_bytes", 256, LIMIT_MESSAGE_BYTES, LIMIT_STATEMENT_BYTES);
    config->limits.statement_depth =
        (uint32_t)yaml_number_at(yaml, node, "statement_depth", 10, 10000, LIMIT_STATEMENT_DEPTH);
    config->limits.relations =
        (uint32_t)yaml_number_at(yaml, node, "relations", 1, LIMIT_RELATIONS, LIMIT_RELATIONS);
    config->limits.targets =
        (uint32_t)yaml_number_at(yaml, node, "targets", 1, LIMIT_TARGETS, LIMIT_TARGETS);
    config->limits.cursors =
        (uint32_t)yaml_number_at(yaml, node, "cursors", 0, 10 * LIMIT_CURSORS, LIMIT_CURSORS);
    config->limits.max_lineage_bytes = (uint32_t)yaml_number_at(
        yaml, node, "max_lineage_bytes", 65536, LIMIT_ROW_BYTES, LIMIT_ROW_BYTES);
}

/* ---- the breach path ---- */

static void load_contact_role(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {"user", "password_file", NULL};
    if (node == NULL)
        return;
    yaml_keys(yaml, node, keys);
    config->contact.user = yaml_need_text(yaml, node, "user");
    config->contact.password_file = config_path_at(yaml, node, "password_file", NULL);
    if (!yaml_failed(yaml) && strcmp(config->contact.user, config->upstream.user) == 0)
        yaml_fail(yaml, node, "make the role that `cofferdam grants --contact` describes",
                  "contact data is read by a role of its own, not by the gateway's");
}

static enum config_mail_tls load_mail_tls(struct yaml *yaml, struct fy_node *node, const char *host)
{
    static const char *const words[] = {[CONFIG_MAIL_STARTTLS] = "starttls",
                                        [CONFIG_MAIL_TLS] = "tls",
                                        [CONFIG_MAIL_OFF] = "off",
                                        NULL};
    if (node == NULL)
        return CONFIG_MAIL_STARTTLS;
    const char *text = yaml_text(yaml, node);
    size_t at = 0;
    while (words[at] != NULL && strcmp(words[at], text) != 0)
        at++;
    if (words[at] == NULL)
        yaml_fail_word(yaml, node, "choice", text, words);
    else if (at == CONFIG_MAIL_OFF && !is_loopback(host))
        yaml_fail(yaml, node, "write starttls or tls",
                  "TLS can be left out only to this machine itself");
    return yaml_failed(yaml) ? CONFIG_MAIL_STARTTLS : (enum config_mail_tls)at;
}

/* Delivery notices come back to an address with a part of their own before the @. */
static void check_bounces(struct yaml *yaml, struct fy_node *node, const char *address)
{
    const char *at = address == NULL ? NULL : strrchr(address, '@');
    if (address != NULL && !yaml_failed(yaml) && (at == NULL || at == address || at[1] == '\0'))
        yaml_fail(yaml, node, "write bounces@example.org", "\"%.80s\" is not an address", address);
}

static void load_mail(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {"host",          "port",       "tls",     "ca",
                                       "user",          "hello",      "bounces", "bounce_folder",
                                       "password_file", "per_minute", "doubt_s", "connections",
                                       "sink",          NULL};
    enum { MOST_A_MINUTE = 1000000, WEEK_S = 7 * 86400 };
    if (node != NULL) {
        yaml_keys(yaml, node, keys);
        config->mail.host = yaml_need_text(yaml, node, "host");
        config->mail.tls = load_mail_tls(yaml, yaml_get(yaml, node, "tls"), config->mail.host);
    }
    config->mail.port = (uint16_t)yaml_number_at(yaml, node, "port", 1, UINT16_MAX, 587);
    config->mail.ca = config_path_at(yaml, node, "ca", NULL);
    config->mail.user = yaml_text_at(yaml, node, "user", NULL);
    config->mail.password_file = config_path_at(yaml, node, "password_file", NULL);
    config->mail.hello = yaml_text_at(yaml, node, "hello", NULL);
    config->mail.bounces = yaml_text_at(yaml, node, "bounces", NULL);
    check_bounces(yaml, yaml_get(yaml, node, "bounces"), config->mail.bounces);
    config->mail.bounce_folder = config_path_at(yaml, node, "bounce_folder", NULL);
    config->mail.per_minute =
        (uint32_t)yaml_number_at(yaml, node, "per_minute", 0, MOST_A_MINUTE, 0);
    config->mail.connections =
        (uint16_t)yaml_number_at(yaml, node, "connections", 1, CONFIG_MAIL_CONNECTIONS, 2);
    config->mail.sink = yaml_flag_at(yaml, node, "sink", false);
    config->mail.doubt_s = (uint32_t)yaml_number_at(yaml, node, "doubt_s", 0, WEEK_S, 3600);
    if (!yaml_failed(yaml) && (config->mail.user == NULL) != (config->mail.password_file == NULL))
        yaml_fail(yaml, node, "give user and password_file, or neither",
                  "to log in at the mail server takes both a user and a password");
}

static void load_portal(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {"folder", "queue", NULL};
    if (node == NULL)
        return;
    yaml_keys(yaml, node, keys);
    config->portal.folder = need_path(yaml, node, "folder");
    config->portal.queue = need_path(yaml, node, "queue");
}

/* A list of texts of at most LIMIT_NAME_BYTES; *count of them. */
static const char *const *load_texts(struct yaml *yaml, struct fy_node *node, size_t *count)
{
    struct yaml_items items = yaml_list_items(yaml, node);
    const char **texts = yaml_array(yaml, const char *, items.count);
    *count = 0;
    while (texts != NULL && yaml_next(yaml, &items)) {
        const char *text = yaml_text(yaml, items.value);
        if (yaml_failed(yaml))
            break;
        if (text[0] == '\0' || strlen(text) > LIMIT_NAME_BYTES)
            yaml_fail(yaml, items.value, NULL, "a text of 1 to %d bytes is wanted",
                      LIMIT_NAME_BYTES);
        texts[(*count)++] = text;
    }
    return texts;
}

static void load_canaries(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {"mailbox_domain", "mailbox_folder", "phones", "streets",
                                       NULL};
    if (node == NULL)
        return;
    yaml_keys(yaml, node, keys);
    struct fy_node *phones = yaml_get(yaml, node, "phones");
    const char *domain = yaml_text_at(yaml, node, "mailbox_domain", NULL);
    config->canaries.mailbox_domain = domain;
    config->canaries.mailbox_folder = config_path_at(yaml, node, "mailbox_folder", NULL);
    config->canaries.phones = load_texts(yaml, phones, &config->canaries.phone_count);
    config->canaries.streets =
        load_texts(yaml, yaml_get(yaml, node, "streets"), &config->canaries.street_count);
    if (!yaml_failed(yaml) && domain != NULL &&
        (strchr(domain, '.') == NULL || strpbrk(domain, "@ \t") != NULL || strlen(domain) > 200))
        yaml_fail(yaml, yaml_get(yaml, node, "mailbox_domain"), "write what stands behind the @",
                  "\"%.60s\" is no domain", domain);
    if (!yaml_failed(yaml) && domain == NULL && config->canaries.mailbox_folder != NULL)
        yaml_fail(yaml, yaml_get(yaml, node, "mailbox_folder"), "add mailbox_domain: to it",
                  "mail to invented people is to be read, and it is not said of which domain");
    for (size_t i = 0; !yaml_failed(yaml) && i < config->canaries.phone_count; i++)
        if (strchr(config->canaries.phones[i], '#') == NULL)
            yaml_fail(yaml, phones, "write # for a digit that is chosen at random",
                      "\"%s\" is one telephone number, and many are wanted",
                      config->canaries.phones[i]);
}

static void load_breach_path(struct yaml *yaml, struct fy_node *root, struct config *config)
{
    config->data_folder = config_path_at(yaml, root, "data_folder", config_installed_data);
    config->incidents_folder = config_path_at(yaml, root, "incidents_folder", NULL);
    if (config->incidents_folder == NULL)
        config->incidents_folder = yaml_printf(yaml, "%s/incidents", config->state_folder);
    load_contact_role(yaml, yaml_get(yaml, root, "contact"), config);
    load_mail(yaml, yaml_get(yaml, root, "mail"), config);
    load_portal(yaml, yaml_get(yaml, root, "portal"), config);
}

/* ---- the whole ---- */

static uint64_t default_workers(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > DEFAULT_WORKERS ? DEFAULT_WORKERS : (uint64_t)cores;
}

static void load_budgets(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {"approvals", NULL};
    if (node != NULL)
        yaml_keys(yaml, node, keys);
    config->budget.approvals = (uint16_t)yaml_number_at(yaml, node, "approvals", 1, 2, 2);
}

static void load_issuer(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {"socket", NULL};
    if (node == NULL)
        return;
    yaml_keys(yaml, node, keys);
    config->issuer_socket = need_path(yaml, node, "socket");
}

static void load_all(struct yaml *yaml, struct config *config)
{
    static const char *const keys[] = {"policy",  "state_folder", "run_folder",       "listen",
                                       "admin",   "upstream",     "ledger",           "limits",
                                       "workers", "data_folder",  "incidents_folder", "contact",
                                       "mail",    "portal",       "canaries",         "budget",
                                       "alarms",  "oidc",         "issuer",           NULL};
    struct fy_node *root = yaml_root(yaml);
    yaml_keys(yaml, root, keys);
    config->policy = config_path_at(yaml, root, "policy", "policy.yaml");
    config->state_folder = config_path_at(yaml, root, "state_folder", "/var/lib/cofferdam");
    config->run_folder = config_path_at(yaml, root, "run_folder", "/run/cofferdam");
    load_listen(yaml, yaml_need(yaml, root, "listen"), config);
    load_admin(yaml, yaml_get(yaml, root, "admin"), config);
    load_upstream(yaml, yaml_need(yaml, root, "upstream"), config);
    load_ledger(yaml, yaml_get(yaml, root, "ledger"), config);
    load_limits(yaml, yaml_get(yaml, root, "limits"), config);
    load_budgets(yaml, yaml_get(yaml, root, "budget"), config);
    config_load_oidc(yaml, yaml_get(yaml, root, "oidc"), config);
    load_issuer(yaml, yaml_get(yaml, root, "issuer"), config);
    load_breach_path(yaml, root, config);
    load_canaries(yaml, yaml_get(yaml, root, "canaries"), config);
    config_load_alarms(yaml, yaml_get(yaml, root, "alarms"), config);
    config->workers =
        (uint16_t)yaml_number_at(yaml, root, "workers", 1, MOST_WORKERS, default_workers());
}

void config_free(struct config *config)
{
    _Static_assert(offsetof(struct config_owned, config) == 0, "the config comes first");
    if (config == NULL)
        return;
    arena_free(&((struct config_owned *)config)->arena);
    free(config);
}

enum status config_load(const char *path, struct config **config, struct error *error)
{
    struct buffer bytes;
    struct config_owned *owned = calloc(1, sizeof *owned);
    if (owned == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    arena_init(&owned->arena, ARENA_BYTES);
    buffer_init(&bytes, YAML_FILE_BYTES);
    enum status status = file_read(path, &bytes, error);
    if (status != STATUS_OK)
        goto done;
    struct yaml yaml;
    owned->config.path = arena_strdup(&owned->arena, path);
    yaml_open(&yaml, path, buffer_slice(&bytes), &owned->arena, error);
    load_all(&yaml, &owned->config);
    yaml_close(&yaml);
    status = yaml_finish(&yaml);
done:
    buffer_free(&bytes);
    if (status == STATUS_OK)
        *config = &owned->config;
    else
        config_free(&owned->config);
    return status;
}
