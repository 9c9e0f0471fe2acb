// An OpenID Connect provider (npm oidc-provider) for tests: prints its port, then obeys lines on standard input.
//   rotate     new keys; the old ones are no longer published
//   ttl N      access tokens live N seconds from now on
// A resource "urn:ALG" gives access tokens (RFC 9068) of the audience "cofferdam", signed with ALG.
import crypto from "node:crypto";
import http from "node:http";
import readline from "node:readline";
import Provider from "oidc-provider";

let ttl = 300;

function key(alg, type, options) {
  const jwk = crypto.generateKeyPairSync(type, options).privateKey.export({format: "jwk"});
  return {...jwk, alg, use: "sig", kid: `${alg}-${crypto.randomUUID()}`};
}

function make(issuer) {
  return new Provider(issuer, {
    jwks: {keys: [key("RS256", "rsa", {modulusLength: 2048}), key("ES256", "ec", {namedCurve: "P-256"}),
                  key("EdDSA", "ed25519")]},
    clients: [
      {client_id: "sync-job", client_secret: "job-secret", grant_types: ["client_credentials"], redirect_uris: [],
       response_types: []},
      {client_id: "desk", token_endpoint_auth_method: "none", grant_types: ["authorization_code"],
       redirect_uris: ["https://desk.example/cb"], response_types: ["code"]},
    ],
    scopes: ["openid", "query"],
    extraTokenClaims: (_, token) => ({roles: token.clientId === "sync-job" ? ["reader", "nightly"] : ["person"]}),
    findAccount: (_, id) => ({accountId: id, claims: () => ({sub: id})}),
    pkce: {methods: ["S256"], required: () => true},
    cookies: {keys: ["test"]},
    features: {
      clientCredentials: {enabled: true},
      devInteractions: {enabled: true},
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "urn:RS256",
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          scope: "query", audience: "cofferdam", accessTokenFormat: "jwt", accessTokenTTL: ttl,
          jwt: {sign: {alg: resource.slice(4)}}}),
      },
    },
  });
}

let handle;
const server = http.createServer((request, response) => handle(request, response));
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  handle = make(issuer).callback();
  console.log(server.address().port);
  readline.createInterface({input: process.stdin}).on("line", (line) => {
    const [word, number] = line.split(" ");
    if (word === "rotate") handle = make(issuer).callback();
    if (word === "ttl") ttl = Number(number);
    console.log(word);
  }).on("close", () => process.exit(0));
});
