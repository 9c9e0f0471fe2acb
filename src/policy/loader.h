/* What the parts of the policy loader share. One thread, one load. Private to policy/.
 * The parts read in this order: masks, kinds, datasets, controller, partners; each resolves names
 * against what was read before, while the node is at hand and an error can say its line. */
#ifndef COFFERDAM_POLICY_LOADER_H
#define COFFERDAM_POLICY_LOADER_H

#include <stdatomic.h>

#include "base/arena.h"
#include "policy/policy.h"
#include "policy/yaml.h"

struct owned_zone {
    struct owned_zone *next;
    const char *name;
    struct zone *zone;
};

/* The block behind every struct policy that is handed out: policy comes first. */
struct policy_owned {
    struct policy policy;
    atomic_size_t references;
    struct arena arena; /* every array and string */
    struct owned_zone *zones;
};

struct loader {
    struct yaml yaml;
    struct policy_owned *owned;
    struct policy *policy;
    struct policy_kind *kinds; /* policy's own arrays, while they may still be written */
    struct policy_dataset *datasets;
    struct policy_subject **subjects; /* of each dataset, while they may still be written */
};

/* load_dataset.c */
void load_masks(struct loader *loader, struct fy_node *node);
void load_kinds(struct loader *loader, struct fy_node *node);
void load_datasets(struct loader *loader, struct fy_node *node);
/* load_contact.c; check_contact wants the datasets: every column is one of the kind's. */
void load_contact(struct loader *loader, struct fy_node *node, struct policy_contact *contact);
void check_contact(struct loader *loader, struct fy_node *node, struct policy_contact *contact,
                   const struct policy_dataset *dataset);
/* load_subject.c: how a dataset's rows lead to people; wants all datasets' names known. Called
 * twice for each: first for subjects whose key is in the dataset itself, then for those along a
 * path. */
void load_subjects(struct loader *loader, struct policy_dataset *dataset, struct fy_node *node,
                   bool paths);
/* Each kind's dataset lists its people by its key. node: the subjects. */
void check_kinds(struct loader *loader, struct fy_node *node);
/* load_partner.c, load_agent.c, load_grant.c */
void load_partners(struct loader *loader, struct fy_node *node);
void load_agents(struct loader *loader, struct policy_partner *partner, struct fy_node *node);
/* The partner's grants, while they may still be written; NULL after a failure. */
struct policy_grant *load_grants(struct loader *loader, struct policy_partner *partner,
                                 struct fy_node *node);
/* mark.c: sets the marks of the partner's grants; wants the partner's bounds. */
void load_marks(struct loader *loader, const struct policy_partner *partner,
                struct policy_grant *grants);
/* load_budget.c; wants the partner's agents and purposes. */
void load_budget(struct loader *loader, struct fy_node *node, struct policy_partner *partner);
/* load_alarms.c */
void load_alarms(struct loader *loader, struct fy_node *node, struct policy_alarms *alarms);

/* load_anomalies.c */
void load_anomalies(struct loader *loader, struct fy_node *node,
                    struct policy_anomalies *anomalies);

/* names.c. The fail_ functions record the failure at node. */
void check_name(struct loader *loader, struct fy_node *node, const char *what, const char *name);
void check_identifier(struct loader *loader, struct fy_node *node, const char *name);
/* Index of the dataset or column; SIZE_MAX after failing with the nearest and all names. */
size_t find_dataset(struct loader *loader, struct fy_node *node, const char *name);
size_t find_column(struct loader *loader, struct fy_node *node,
                   const struct policy_dataset *dataset, const char *name);
size_t find_kind(struct loader *loader, struct fy_node *node, const char *name);
/* Fails unless text is one of count texts. */
void check_member(struct loader *loader, struct fy_node *node, const char *what, const char *text,
                  const char *const *texts, size_t count);

/* when.c */
/* {from, until}: half open. An until that is a bare date includes that day (UTC). */
void load_valid(struct loader *loader, struct fy_node *node, int64_t *from_ns, int64_t *until_ns);
/* "90m", "8h", "2d": from a minute to so many days; ns. */
int64_t load_duration(struct yaml *yaml, struct fy_node *node, int most_days);
/* An instant; a bare date is its midnight UTC, or the next one's where whole_day is set. */
int64_t load_instant(struct loader *loader, struct fy_node *node, bool whole_day);
/* Kept open as long as the policy lives. */
const struct zone *load_zone(struct loader *loader, struct fy_node *node, const char *name);
void load_hours(struct loader *loader, struct fy_node *node, struct policy_hours *hours);
/* load_oidc.c */
const struct policy_oidc *load_oidc(struct loader *loader, struct fy_node *node);
/* network.c */
void load_network(struct loader *loader, struct fy_node *node, struct policy_network *network);

#endif
