-- The tables of the car maker's customer database, without keys: those come after the rows (keys.sql).
CREATE SCHEMA crm;

CREATE TABLE crm.customer (
    customer_id       bigint NOT NULL,
    brand             text NOT NULL,          -- meridian or dacre
    full_name         text NOT NULL,
    email             text,
    phone             text,
    birth_date        date,
    gender            text,
    street            text,
    city              text,
    postcode          text,
    country           text NOT NULL,          -- ISO 3166-1: GB, IE, FR, DE
    language          text NOT NULL,          -- ISO 639-1, of past dealings
    marketing_consent boolean NOT NULL,
    gone_away         boolean NOT NULL,       -- post comes back
    safe_contact      boolean NOT NULL,       -- do not write to the home address
    deceased          boolean NOT NULL,
    created_at        timestamptz NOT NULL
);

-- People who asked for a brochure or entered a competition and never bought.
CREATE TABLE crm.enquirer (
    enquirer_id       bigint NOT NULL,
    brand             text NOT NULL,
    full_name         text NOT NULL,
    email             text,
    phone             text,
    birth_date        date,
    gender            text,
    street            text,
    city              text,
    postcode          text,
    country           text NOT NULL,
    language          text NOT NULL,
    marketing_consent boolean NOT NULL,
    gone_away         boolean NOT NULL,
    safe_contact      boolean NOT NULL,
    deceased          boolean NOT NULL,
    created_at        timestamptz NOT NULL
);

CREATE TABLE crm.model (
    model_id    integer NOT NULL,
    brand       text NOT NULL,
    name        text NOT NULL,
    body        text NOT NULL,
    launched_on date NOT NULL
);

CREATE TABLE crm.dealer (
    dealer_id integer NOT NULL,
    brand     text NOT NULL,
    name      text NOT NULL,
    city      text NOT NULL,
    postcode  text NOT NULL,
    phone     text NOT NULL
);

CREATE TABLE crm.vehicle (
    vehicle_id       bigint NOT NULL,
    owner_id         bigint,                  -- NULL: in stock, scrapped, or sold on
    vin              text NOT NULL,           -- ISO 3779, check digit in position 9
    registration     text NOT NULL,           -- UK mark, as AB12 CDE
    model_id         integer NOT NULL,
    first_registered date NOT NULL,
    mileage_km       integer NOT NULL
);

CREATE TABLE crm.service_visit (
    visit_id    bigint NOT NULL,
    vehicle_id  bigint NOT NULL,
    dealer_id   integer NOT NULL,
    visited_on  date NOT NULL,
    total_pence bigint NOT NULL
);

CREATE TABLE crm.service_line (
    line_id     bigint NOT NULL,
    visit_id    bigint NOT NULL,
    part        text NOT NULL,
    price_pence integer NOT NULL
);

CREATE TABLE crm.payment_method (
    payment_id  bigint NOT NULL,
    customer_id bigint NOT NULL,
    iban        text,
    card_token  text
);

CREATE TABLE crm.credential (
    customer_id   bigint NOT NULL,
    password_hash text NOT NULL
);
