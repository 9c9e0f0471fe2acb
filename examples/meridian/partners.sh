# shellcheck shell=bash
# The partners' side: what each agent was sent (a kit), a home for it, and connection strings.
# Needs lib.sh and gateway.sh.

agents=(north-mail/recall north-mail/service north-mail/enquiries ringway/desk ringway/corrections statlab/notebook brightwash/app)
kit() { echo "$home/kits/${1/\//.}"; }
verifier() { echo "$home/gateway/secrets/${1/\//-}.scram"; }

# Agents with a password in the policy have the name of their verifier file there.
has_password() { grep -q "secrets/${1/\//-}.scram" examples/meridian/policy.yaml; }

# passwords_prepare: before the gateway starts. The gateway stores verifiers, the partner passwords.
passwords_prepare() {
    local agent password
    for agent in "${agents[@]}"; do
        has_password "$agent" || continue
        mkdir -p "$(kit "$agent")"
        password=$(openssl rand -hex 16)
        quietly cofferdam agent passwd "$agent" --out "$(verifier "$agent")" <<<"$password"
        hand_over "$(verifier "$agent")"
        echo "$password" >"$(kit "$agent")/password"
        chmod 600 "$(kit "$agent")/password"
    done
}

kits_prepare() {
    local agent
    for agent in "${agents[@]}"; do
        quietly cofferdam partner kit "$agent" --ca "$home/ca" --host localhost --port "$(gateway_port)" --out "$(kit "$agent")"
    done
}

# libpq's words for an agent: certificate or password, and the gateway's CA.
partner_url() {
    local files
    files=$(kit "$1")
    printf 'host=localhost hostaddr=127.0.0.1 port=%s dbname=meridian user=%s sslmode=verify-full sslrootcert=%s' \
        "$(gateway_port)" "${1/\//.}" "$files/ca.crt"
    if has_password "$1"; then
        printf ' password=%s' "$(cat "$files/password")"
    else
        printf ' sslcert=%s sslkey=%s' "$files/client.crt" "$files/client.key"
    fi
}

# A variable for each agent, and one for each partner: its first agent's.
write_urls() {
    local agent partner last=''
    {
        echo "# Written by ./demo: libpq connection strings."
        echo "UPSTREAM_URL='$(database_url)'"
        echo "ADMIN_URL='host=$home/gateway/run dbname=cofferdam'"
        for agent in "${agents[@]}"; do
            partner=${agent%/*}
            [ "$partner" = "$last" ] || echo "$(variable "$partner")_URL='$(partner_url "$agent")'"
            echo "$(variable "$agent")_URL='$(partner_url "$agent")'"
            last=$partner
        done
    } >"$place/urls.env"
}
variable() { tr 'a-z/-' 'A-Z__' <<<"$1"; }

# run_partner AGENT ARGUMENTS…: psql, where the partner's kit is, with nothing but what is in it.
run_partner() {
    local agent=$1 url
    url=$(partner_url "$agent")
    shift
    (cd "$(kit "$agent")" && psql -X -q "$@" "$url" 2>&1)
}
