/* Parts of cofferdam.yaml that are read in files of their own. Private to policy/. */
#ifndef COFFERDAM_POLICY_CONFIG_PARTS_H
#define COFFERDAM_POLICY_CONFIG_PARTS_H

#include "policy/config.h"
#include "policy/yaml.h"

/* alarms: behind mail:, whose server they go by. node may be NULL. */
void config_load_alarms(struct yaml *yaml, struct fy_node *node, struct config *config);

#endif
