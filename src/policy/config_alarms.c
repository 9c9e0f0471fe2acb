/* alarms: in cofferdam.yaml, who is told of what must be known at once. */
#include "policy/config_parts.h"

#include <string.h>

#include "http/http.h"

enum { DAY_S = 86400, HOUR_MS = 3600000 };

static void load_webhook(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {"url", "secret_file", "ca", NULL};
    if (node == NULL)
        return;
    yaml_keys(yaml, node, keys);
    config->alarms.webhook.url = yaml_need_text(yaml, node, "url");
    config->alarms.webhook.secret_file =
        yaml_file_path(yaml, yaml_need_text(yaml, node, "secret_file"));
    const char *ca = yaml_text_at(yaml, node, "ca", NULL);
    config->alarms.webhook.ca = ca == NULL ? NULL : yaml_file_path(yaml, ca);
    if (!yaml_failed(yaml) && !http_url_is_safe(config->alarms.webhook.url))
        yaml_fail(yaml, yaml_get(yaml, node, "url"),
                  "write https://host/path, without a user or blanks",
                  "the webhook's url is not one of https; TLS can be left out only to this machine "
                  "itself");
}

static void load_mail(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {"to", "from", NULL};
    if (node == NULL)
        return;
    yaml_keys(yaml, node, keys);
    config->alarms.mail.to = yaml_need_text(yaml, node, "to");
    config->alarms.mail.from = yaml_text_at(yaml, node, "from", config->mail.bounces);
    if (yaml_failed(yaml))
        return;
    if (config->mail.host == NULL)
        yaml_fail(yaml, node, "add mail: with host to it",
                  "alarms are to go by mail, and no mail server is configured");
    else if (config->alarms.mail.from == NULL)
        yaml_fail(yaml, node, "add from: alarms@example.org",
                  "alarms are to go by mail, and it is not said from which address");
    else if (strchr(config->alarms.mail.to, '@') == NULL)
        yaml_fail(yaml, yaml_get(yaml, node, "to"), "write security@example.org",
                  "\"%.80s\" is not an address", config->alarms.mail.to);
    else if (strchr(config->alarms.mail.from, '@') == NULL)
        yaml_fail(yaml, yaml_get(yaml, node, "from"), "write alarms@example.org",
                  "\"%.80s\" is not an address", config->alarms.mail.from);
}

void config_load_alarms(struct yaml *yaml, struct fy_node *node, struct config *config)
{
    static const char *const keys[] = {"interval_s", "retry_ms", "webhook", "mail", NULL};
    if (node != NULL)
        yaml_keys(yaml, node, keys);
    config->alarms.interval_s = (uint32_t)yaml_number_at(yaml, node, "interval_s", 1, DAY_S, 3600);
    config->alarms.retry_ms = (uint32_t)yaml_number_at(yaml, node, "retry_ms", 10, HOUR_MS, 1000);
    load_webhook(yaml, yaml_get(yaml, node, "webhook"), config);
    load_mail(yaml, yaml_get(yaml, node, "mail"), config);
}
