/* Parts of cofferdam.yaml that are read in files of their own. Private to policy/. */
#ifndef COFFERDAM_POLICY_CONFIG_PARTS_H
#define COFFERDAM_POLICY_CONFIG_PARTS_H

#include "policy/config.h"
#include "policy/yaml.h"

/* ---- config.c ---- */
/* Relative to the file's folder. */
const char *config_path_at(struct yaml *yaml, struct fy_node *map, const char *key,
                           const char *otherwise);
/* Fails for what http_url_is_safe refuses. */
void config_check_url(struct yaml *yaml, struct fy_node *node, const char *url, const char *what);

/* ---- config_oidc.c; node may be NULL ---- */
void config_load_oidc(struct yaml *yaml, struct fy_node *node, struct config *config);

/* ---- config_alarms.c ---- */
/* alarms: behind mail:, whose server they go by. node may be NULL. */
void config_load_alarms(struct yaml *yaml, struct fy_node *node, struct config *config);

/* authorities, crls and what goes with them, of listen: behind client_ca. */
void config_load_authorities(struct yaml *yaml, struct fy_node *listen, struct config *config);

#endif
