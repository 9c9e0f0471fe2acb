-- Keys and indexes, made when the rows are there: faster, and every foreign key is proved at once.
ALTER TABLE crm.customer ADD PRIMARY KEY (customer_id);
ALTER TABLE crm.enquirer ADD PRIMARY KEY (enquirer_id);
ALTER TABLE crm.model ADD PRIMARY KEY (model_id);
ALTER TABLE crm.dealer ADD PRIMARY KEY (dealer_id);
ALTER TABLE crm.vehicle ADD PRIMARY KEY (vehicle_id), ADD UNIQUE (vin), ADD UNIQUE (registration);
ALTER TABLE crm.service_visit ADD PRIMARY KEY (visit_id);
ALTER TABLE crm.service_line ADD PRIMARY KEY (line_id);
ALTER TABLE crm.payment_method ADD PRIMARY KEY (payment_id);
ALTER TABLE crm.credential ADD PRIMARY KEY (customer_id);

CREATE INDEX vehicle_owner ON crm.vehicle (owner_id);
CREATE INDEX vehicle_model ON crm.vehicle (model_id);
CREATE INDEX service_visit_vehicle ON crm.service_visit (vehicle_id);
CREATE INDEX service_visit_dealer ON crm.service_visit (dealer_id);
CREATE INDEX service_line_visit ON crm.service_line (visit_id);
CREATE INDEX payment_method_customer ON crm.payment_method (customer_id);
CREATE INDEX customer_postcode ON crm.customer (postcode);
CREATE INDEX customer_email ON crm.customer (email);
CREATE INDEX customer_name ON crm.customer (full_name);
CREATE INDEX enquirer_postcode ON crm.enquirer (postcode);

ALTER TABLE crm.vehicle
    ADD FOREIGN KEY (owner_id) REFERENCES crm.customer,
    ADD FOREIGN KEY (model_id) REFERENCES crm.model;
ALTER TABLE crm.service_visit
    ADD FOREIGN KEY (vehicle_id) REFERENCES crm.vehicle,
    ADD FOREIGN KEY (dealer_id) REFERENCES crm.dealer;
ALTER TABLE crm.service_line ADD FOREIGN KEY (visit_id) REFERENCES crm.service_visit;
ALTER TABLE crm.payment_method ADD FOREIGN KEY (customer_id) REFERENCES crm.customer;
ALTER TABLE crm.credential ADD FOREIGN KEY (customer_id) REFERENCES crm.customer;
