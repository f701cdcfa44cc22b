-- The shared repository: schemas, canonical tables, history twins, ledger, findings.
-- Frozen; later changes are migrations of their own. A test compares the migrated database with sharedrepo.models.

CREATE SCHEMA core;
CREATE SCHEMA core_history;
CREATE SCHEMA ledger;
CREATE SCHEMA quality;
CREATE SCHEMA out;

CREATE TABLE core.approval_case (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    source_system_id SMALLINT NOT NULL,
    case_number TEXT NOT NULL,
    reporting_organ TEXT,
    handling_organ TEXT,
    region TEXT,
    item_code TEXT,
    item_name TEXT,
    item_version_said BIGINT,
    case_kind TEXT,
    channel TEXT,
    entry_mode TEXT,
    vertical BOOLEAN,
    applied_at TIMESTAMP WITH TIME ZONE,
    applied_at_precision CHAR(1),
    disclosure TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_approval_case PRIMARY KEY (record_id),
    CONSTRAINT ck_approval_case_case_kind_known CHECK (case_kind IN ('immediate', 'promised')),
    CONSTRAINT ck_approval_case_channel_known CHECK (channel IN ('window', 'online', 'mobile', 'post', 'self_service', 'transferred', 'other')),
    CONSTRAINT ck_approval_case_entry_mode_known CHECK (entry_mode IN ('live', 'batch', 'back_entered')),
    CONSTRAINT ck_approval_case_disclosure_known CHECK (disclosure IN ('public', 'on_request', 'not_public')),
    CONSTRAINT uq_approval_case_identity UNIQUE NULLS NOT DISTINCT (source_system_id, case_number)
);
COMMENT ON TABLE core.approval_case IS '办件: One application to one organ for one item (办件). Identity: source system and case number.';
CREATE INDEX ix_approval_case_item_code ON core.approval_case (item_code);

CREATE TABLE core.case_overview (
    case_id BIGINT NOT NULL,
    state TEXT NOT NULL,
    events INTEGER NOT NULL,
    applied_at TIMESTAMP WITH TIME ZONE,
    accepted_at TIMESTAMP WITH TIME ZONE,
    due_at TIMESTAMP WITH TIME ZONE,
    accept_first TIMESTAMP WITH TIME ZONE,
    undertake_first TIMESTAMP WITH TIME ZONE,
    review_first TIMESTAMP WITH TIME ZONE,
    approve_first TIMESTAMP WITH TIME ZONE,
    complete_first TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    closing_outcome TEXT,
    pauses_open INTEGER NOT NULL,
    last_reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_case_overview PRIMARY KEY (case_id),
    CONSTRAINT ck_case_overview_state CHECK (state IN ('applied', 'not_accepted', 'accepted', 'in_progress', 'suspended', 'closed'))
);
COMMENT ON TABLE core.case_overview IS '办件概览: the present state of a case, derived from the rows of the case family.';

CREATE TABLE core.credential (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    source_system_id SMALLINT NOT NULL,
    case_number TEXT,
    issuer TEXT,
    credential_type TEXT NOT NULL,
    number TEXT NOT NULL,
    version TEXT,
    identifier TEXT,
    document_number TEXT,
    holder_kind TEXT,
    holder_number_kind TEXT,
    holder_name_hash BYTEA,
    holder_name_mask TEXT,
    holder_number_hash BYTEA,
    holder_number_mask TEXT,
    valid_from DATE,
    valid_to DATE,
    issued_at TIMESTAMP WITH TIME ZONE,
    issued_at_precision CHAR(1),
    predecessor TEXT,
    item_code TEXT,
    status TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_credential PRIMARY KEY (record_id, part),
    CONSTRAINT ck_credential_holder_kind_known CHECK (holder_kind IN ('natural', 'enterprise', 'institution', 'social', 'government', 'individual_business', 'other')),
    CONSTRAINT ck_credential_holder_number_kind_known CHECK (holder_number_kind IN ('resident_id', 'credit_code', 'organisation_code', 'passport', 'permit', 'business_licence', 'other')),
    CONSTRAINT ck_credential_status_known CHECK (status IN ('valid', 'suspended', 'revoked', 'cancelled', 'expired', 'transferred', 'void', 'other')),
    CONSTRAINT uq_credential_identity UNIQUE NULLS NOT DISTINCT (source_system_id, issuer, credential_type, number, version)
);
COMMENT ON TABLE core.credential IS '证照: A certificate, licence or approval document that the decision gave.';
CREATE INDEX ix_credential_holder_number_hash ON core.credential (holder_number_hash);
CREATE INDEX ix_credential_number ON core.credential (number);
CREATE INDEX ix_credential_source_system_id_case_number ON core.credential (source_system_id, case_number);

CREATE TABLE core.credential_number (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    number TEXT NOT NULL,
    scheme TEXT,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_credential_number PRIMARY KEY (record_id, part)
);
COMMENT ON TABLE core.credential_number IS '证照其他编号: Another number of the same credential.';
CREATE INDEX ix_credential_number_number ON core.credential_number (number);

CREATE TABLE core.credential_status (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    status TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE,
    since_precision CHAR(1),
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_credential_status PRIMARY KEY (record_id, part),
    CONSTRAINT ck_credential_status_status_known CHECK (status IN ('valid', 'suspended', 'revoked', 'cancelled', 'expired', 'transferred', 'void', 'other'))
);
COMMENT ON TABLE core.credential_status IS '证照状态历史: A status that the credential had, and since when.';

CREATE TABLE core.decision (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    source_system_id SMALLINT NOT NULL,
    case_number TEXT,
    organ TEXT,
    document_number TEXT,
    document_name TEXT,
    decision_kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_at_precision CHAR(1),
    reason TEXT,
    content TEXT,
    handler_hash BYTEA,
    handler_mask TEXT,
    closing BOOLEAN,
    expects_document BOOLEAN,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_decision PRIMARY KEY (record_id, part),
    CONSTRAINT ck_decision_decision_kind_known CHECK (decision_kind IN ('decision', 'appeal', 'revocation', 'other')),
    CONSTRAINT ck_decision_outcome_known CHECK (outcome IN ('granted', 'refused', 'returned', 'void', 'withdrawn', 'transferred', 'lapsed', 'completed', 'other'))
);
COMMENT ON TABLE core.decision IS '决定: A decision, appeal or revocation; a case may have several, and a decision may come without a case.';
CREATE INDEX ix_decision_document_number ON core.decision (document_number);
CREATE INDEX ix_decision_source_system_id_case_number ON core.decision (source_system_id, case_number);

CREATE TABLE core.item (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    base_code TEXT NOT NULL,
    name TEXT NOT NULL,
    item_type TEXT,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_item PRIMARY KEY (record_id, part)
);
COMMENT ON TABLE core.item IS '事项: The item at the catalogue level: one base code, whoever carries it out.';
CREATE INDEX ix_item_base_code ON core.item (base_code);

CREATE TABLE core.item_version (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    implementation_code TEXT NOT NULL,
    version BIGINT NOT NULL,
    base_code TEXT,
    name TEXT,
    organ TEXT,
    item_type TEXT,
    status TEXT,
    effective_from DATE,
    cancelled_on DATE,
    legal_value BIGINT,
    legal_unit TEXT,
    promised_value BIGINT,
    promised_unit TEXT,
    item_kind TEXT,
    online_depth TEXT,
    fee BOOLEAN,
    prerequisites TEXT,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_item_version PRIMARY KEY (record_id, part),
    CONSTRAINT ck_item_version_status_known CHECK (status IN ('in_force', 'suspended', 'abolished', 'devolved')),
    CONSTRAINT ck_item_version_legal_unit_known CHECK (legal_unit IN ('working_day', 'calendar_day', 'month', 'year', 'hour')),
    CONSTRAINT ck_item_version_promised_unit_known CHECK (promised_unit IN ('working_day', 'calendar_day', 'month', 'year', 'hour')),
    CONSTRAINT ck_item_version_item_kind_known CHECK (item_kind IN ('immediate', 'promised'))
);
COMMENT ON TABLE core.item_version IS '实施清单: One version of one organ''s way to carry out an item, with its limits.';
CREATE INDEX ix_item_version_implementation_code_version ON core.item_version (implementation_code, version);

CREATE TABLE core.organ (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    level TEXT,
    region TEXT,
    parent TEXT,
    credit_code TEXT,
    valid_from DATE NOT NULL,
    cancelled_on DATE,
    successor TEXT,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_organ PRIMARY KEY (record_id, part)
);
COMMENT ON TABLE core.organ IS '机构: A government organ or a part of one, from a date on.';
CREATE INDEX ix_organ_code_valid_from ON core.organ (code, valid_from);

CREATE TABLE core.region (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    level TEXT,
    parent TEXT,
    valid_from DATE NOT NULL,
    cancelled_on DATE,
    successor TEXT,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_region PRIMARY KEY (record_id, part)
);
COMMENT ON TABLE core.region IS '行政区划: A region (GB/T 2260), from a date on.';
CREATE INDEX ix_region_code_valid_from ON core.region (code, valid_from);

CREATE TABLE core.source_system (
    source_system_id SMALLINT GENERATED BY DEFAULT AS IDENTITY,
    code TEXT NOT NULL,
    title TEXT NOT NULL,
    title_zh TEXT,
    organ TEXT,
    region TEXT,
    kind TEXT NOT NULL,
    profile TEXT,
    CONSTRAINT pk_source_system PRIMARY KEY (source_system_id),
    CONSTRAINT uq_source_system_code UNIQUE (code)
);
COMMENT ON TABLE core.source_system IS '接入系统: one connected system of one department, or one that serves many organs.';

CREATE TABLE core_history.acceptance (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    accepted_at TIMESTAMP WITH TIME ZONE,
    accepted_at_precision CHAR(1),
    due_at TIMESTAMP WITH TIME ZONE,
    due_at_precision CHAR(1),
    reason TEXT,
    document_number TEXT,
    organ TEXT,
    unit_name TEXT,
    handler_hash BYTEA,
    handler_mask TEXT,
    promise_value BIGINT,
    promise_unit TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.acceptance_default PARTITION OF core_history.acceptance DEFAULT;
CREATE INDEX ix_acceptance_record_id_part ON core_history.acceptance (record_id, part);

CREATE TABLE core_history.approval_case (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    source_system_id SMALLINT NOT NULL,
    case_number TEXT NOT NULL,
    reporting_organ TEXT,
    handling_organ TEXT,
    region TEXT,
    item_code TEXT,
    item_name TEXT,
    item_version_said BIGINT,
    case_kind TEXT,
    channel TEXT,
    entry_mode TEXT,
    vertical BOOLEAN,
    applied_at TIMESTAMP WITH TIME ZONE,
    applied_at_precision CHAR(1),
    disclosure TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.approval_case_default PARTITION OF core_history.approval_case DEFAULT;
CREATE INDEX ix_approval_case_record_id_part ON core_history.approval_case (record_id, part);

CREATE TABLE core_history.case_identifier (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    scheme TEXT NOT NULL,
    number TEXT NOT NULL,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.case_identifier_default PARTITION OF core_history.case_identifier DEFAULT;
CREATE INDEX ix_case_identifier_record_id_part ON core_history.case_identifier (record_id, part);

CREATE TABLE core_history.case_link (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    other_number TEXT NOT NULL,
    link_kind TEXT NOT NULL,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.case_link_default PARTITION OF core_history.case_link DEFAULT;
CREATE INDEX ix_case_link_record_id_part ON core_history.case_link (record_id, part);

CREATE TABLE core_history.case_party (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    role TEXT NOT NULL,
    party_kind TEXT,
    number_kind TEXT,
    name_hash BYTEA,
    name_mask TEXT,
    number_hash BYTEA,
    number_mask TEXT,
    phone_mask TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.case_party_default PARTITION OF core_history.case_party DEFAULT;
CREATE INDEX ix_case_party_record_id_part ON core_history.case_party (record_id, part);

CREATE TABLE core_history.credential (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    source_system_id SMALLINT NOT NULL,
    case_number TEXT,
    issuer TEXT,
    credential_type TEXT NOT NULL,
    number TEXT NOT NULL,
    version TEXT,
    identifier TEXT,
    document_number TEXT,
    holder_kind TEXT,
    holder_number_kind TEXT,
    holder_name_hash BYTEA,
    holder_name_mask TEXT,
    holder_number_hash BYTEA,
    holder_number_mask TEXT,
    valid_from DATE,
    valid_to DATE,
    issued_at TIMESTAMP WITH TIME ZONE,
    issued_at_precision CHAR(1),
    predecessor TEXT,
    item_code TEXT,
    status TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.credential_default PARTITION OF core_history.credential DEFAULT;
CREATE INDEX ix_credential_record_id_part ON core_history.credential (record_id, part);

CREATE TABLE core_history.credential_number (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    number TEXT NOT NULL,
    scheme TEXT,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.credential_number_default PARTITION OF core_history.credential_number DEFAULT;
CREATE INDEX ix_credential_number_record_id_part ON core_history.credential_number (record_id, part);

CREATE TABLE core_history.credential_status (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    status TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE,
    since_precision CHAR(1),
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.credential_status_default PARTITION OF core_history.credential_status DEFAULT;
CREATE INDEX ix_credential_status_record_id_part ON core_history.credential_status (record_id, part);

CREATE TABLE core_history.decision (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    source_system_id SMALLINT NOT NULL,
    case_number TEXT,
    organ TEXT,
    document_number TEXT,
    document_name TEXT,
    decision_kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_at_precision CHAR(1),
    reason TEXT,
    content TEXT,
    handler_hash BYTEA,
    handler_mask TEXT,
    closing BOOLEAN,
    expects_document BOOLEAN,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.decision_default PARTITION OF core_history.decision DEFAULT;
CREATE INDEX ix_decision_record_id_part ON core_history.decision (record_id, part);

CREATE TABLE core_history.delivery (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    way TEXT,
    delivered_at TIMESTAMP WITH TIME ZONE,
    delivered_at_precision CHAR(1),
    receiver_hash BYTEA,
    receiver_mask TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.delivery_default PARTITION OF core_history.delivery DEFAULT;
CREATE INDEX ix_delivery_record_id_part ON core_history.delivery (record_id, part);

CREATE TABLE core_history.fee (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    amount NUMERIC(18, 2),
    currency TEXT,
    basis TEXT,
    paid_at TIMESTAMP WITH TIME ZONE,
    paid_at_precision CHAR(1),
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.fee_default PARTITION OF core_history.fee DEFAULT;
CREATE INDEX ix_fee_record_id_part ON core_history.fee (record_id, part);

CREATE TABLE core_history.item (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    base_code TEXT NOT NULL,
    name TEXT NOT NULL,
    item_type TEXT,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.item_default PARTITION OF core_history.item DEFAULT;
CREATE INDEX ix_item_record_id_part ON core_history.item (record_id, part);

CREATE TABLE core_history.item_version (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    implementation_code TEXT NOT NULL,
    version BIGINT NOT NULL,
    base_code TEXT,
    name TEXT,
    organ TEXT,
    item_type TEXT,
    status TEXT,
    effective_from DATE,
    cancelled_on DATE,
    legal_value BIGINT,
    legal_unit TEXT,
    promised_value BIGINT,
    promised_unit TEXT,
    item_kind TEXT,
    online_depth TEXT,
    fee BOOLEAN,
    prerequisites TEXT,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.item_version_default PARTITION OF core_history.item_version DEFAULT;
CREATE INDEX ix_item_version_record_id_part ON core_history.item_version (record_id, part);

CREATE TABLE core_history.material (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    name TEXT,
    code TEXT,
    obtained TEXT,
    copies BIGINT,
    taken BOOLEAN,
    taken_at TIMESTAMP WITH TIME ZONE,
    taken_at_precision CHAR(1),
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.material_default PARTITION OF core_history.material DEFAULT;
CREATE INDEX ix_material_record_id_part ON core_history.material (record_id, part);

CREATE TABLE core_history.organ (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    level TEXT,
    region TEXT,
    parent TEXT,
    credit_code TEXT,
    valid_from DATE NOT NULL,
    cancelled_on DATE,
    successor TEXT,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.organ_default PARTITION OF core_history.organ DEFAULT;
CREATE INDEX ix_organ_record_id_part ON core_history.organ (record_id, part);

CREATE TABLE core_history.region (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    level TEXT,
    parent TEXT,
    valid_from DATE NOT NULL,
    cancelled_on DATE,
    successor TEXT,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.region_default PARTITION OF core_history.region DEFAULT;
CREATE INDEX ix_region_record_id_part ON core_history.region (record_id, part);

CREATE TABLE core_history.stage_event (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    stage TEXT NOT NULL,
    local_node TEXT,
    local_code TEXT,
    handler_hash BYTEA,
    handler_mask TEXT,
    handler_post TEXT,
    unit_name TEXT,
    started_at TIMESTAMP WITH TIME ZONE,
    started_at_precision CHAR(1),
    finished_at TIMESTAMP WITH TIME ZONE,
    finished_at_precision CHAR(1),
    outcome TEXT,
    opinion TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.stage_event_default PARTITION OF core_history.stage_event DEFAULT;
CREATE INDEX ix_stage_event_record_id_part ON core_history.stage_event (record_id, part);

CREATE TABLE core_history.supplement (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE,
    told_at_precision CHAR(1),
    received_at TIMESTAMP WITH TIME ZONE,
    received_at_precision CHAR(1),
    materials TEXT,
    reason TEXT,
    handler_hash BYTEA,
    handler_mask TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.supplement_default PARTITION OF core_history.supplement DEFAULT;
CREATE INDEX ix_supplement_record_id_part ON core_history.supplement (record_id, part);

CREATE TABLE core_history.suspension (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    suspension_kind TEXT,
    name TEXT,
    reason TEXT,
    approver_hash BYTEA,
    approver_mask TEXT,
    started_at TIMESTAMP WITH TIME ZONE,
    started_at_precision CHAR(1),
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_at_precision CHAR(1),
    allowed_value BIGINT,
    allowed_unit TEXT,
    result TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    closed_by BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE DEFAULT transaction_timestamp() NOT NULL
) PARTITION BY RANGE (closed_at);
CREATE TABLE core_history.suspension_default PARTITION OF core_history.suspension DEFAULT;
CREATE INDEX ix_suspension_record_id_part ON core_history.suspension (record_id, part);

CREATE TABLE ledger.key_fingerprint (
    key_number INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    retired BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_key_fingerprint PRIMARY KEY (key_number)
);
COMMENT ON TABLE ledger.key_fingerprint IS 'A fingerprint of each key, so that a process with another key refuses to start.';

CREATE TABLE ledger.source_record (
    record_id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    stream_id INTEGER NOT NULL,
    source_key TEXT NOT NULL,
    order_value BIGINT,
    received_hash BYTEA NOT NULL,
    canonical_hash BYTEA,
    state TEXT NOT NULL,
    first_batch_id BIGINT NOT NULL,
    batch_id BIGINT NOT NULL,
    row INTEGER NOT NULL,
    CONSTRAINT pk_source_record PRIMARY KEY (record_id),
    CONSTRAINT ck_source_record_state CHECK (state IN ('kept', 'quarantined', 'parked', 'deleted', 'excluded')),
    CONSTRAINT uq_source_record_stream_id_source_key UNIQUE (stream_id, source_key)
);
COMMENT ON TABLE ledger.source_record IS 'One row a source record: its key, its order, its keyed hash as received, and what became of it.';

CREATE TABLE ledger.waiting (
    waiting_id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    record_id BIGINT NOT NULL,
    stream_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    status TEXT DEFAULT 'open' NOT NULL,
    case_number TEXT,
    order_value BIGINT,
    received_hash BYTEA NOT NULL,
    rules TEXT[] NOT NULL,
    unit TEXT,
    row INTEGER NOT NULL,
    batch_id BIGINT NOT NULL,
    closed_by BIGINT,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    payload BYTEA,
    CONSTRAINT pk_waiting PRIMARY KEY (waiting_id),
    CONSTRAINT ck_waiting_kind CHECK (kind IN ('quarantined', 'parked')),
    CONSTRAINT ck_waiting_status CHECK (status IN ('open', 'released', 'replayed', 'superseded'))
);
COMMENT ON TABLE ledger.waiting IS 'Records that wait: refused ones in quarantine, children whose case has not come. Payloads are sealed.';
CREATE INDEX ix_waiting_parent ON ledger.waiting (stream_id, case_number) WHERE status = 'open';
CREATE INDEX ix_waiting_record_id ON ledger.waiting (record_id);

CREATE TABLE quality.finding (
    finding_id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    stream_id INTEGER NOT NULL,
    record_id BIGINT,
    case_id BIGINT,
    unit TEXT,
    row INTEGER,
    rule TEXT NOT NULL,
    effect TEXT NOT NULL,
    field TEXT,
    pointer TEXT,
    shown TEXT,
    sealed BYTEA,
    detail JSONB DEFAULT '{}' NOT NULL,
    state TEXT DEFAULT 'open' NOT NULL,
    batch_id BIGINT NOT NULL,
    closed_by BIGINT,
    CONSTRAINT pk_finding PRIMARY KEY (finding_id),
    CONSTRAINT ck_finding_effect CHECK (effect IN ('refuse', 'flag')),
    CONSTRAINT ck_finding_state CHECK (state IN ('open', 'closed'))
);
COMMENT ON TABLE quality.finding IS 'One breach of one rule at one place. Raw values are sealed; only values of no person are shown.';
CREATE INDEX ix_finding_case ON quality.finding (case_id) WHERE state = 'open' AND case_id IS NOT NULL;
CREATE INDEX ix_finding_record ON quality.finding (record_id) WHERE state = 'open';
CREATE INDEX ix_finding_rule ON quality.finding (stream_id, rule);

CREATE TABLE core.acceptance (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    accepted_at TIMESTAMP WITH TIME ZONE,
    accepted_at_precision CHAR(1),
    due_at TIMESTAMP WITH TIME ZONE,
    due_at_precision CHAR(1),
    reason TEXT,
    document_number TEXT,
    organ TEXT,
    unit_name TEXT,
    handler_hash BYTEA,
    handler_mask TEXT,
    promise_value BIGINT,
    promise_unit TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_acceptance PRIMARY KEY (record_id, part),
    CONSTRAINT ck_acceptance_outcome_known CHECK (outcome IN ('accepted', 'not_accepted', 'supplement_required')),
    CONSTRAINT ck_acceptance_promise_unit_known CHECK (promise_unit IN ('working_day', 'calendar_day', 'month', 'year', 'hour')),
    CONSTRAINT fk_acceptance_case_id FOREIGN KEY(case_id) REFERENCES core.approval_case (record_id)
);
COMMENT ON TABLE core.acceptance IS '受理: The decision to accept, not accept or ask for supplements (行政许可法 art. 32).';
CREATE INDEX ix_acceptance_case_id ON core.acceptance (case_id);

CREATE TABLE core.case_identifier (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    scheme TEXT NOT NULL,
    number TEXT NOT NULL,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_case_identifier PRIMARY KEY (record_id, part),
    CONSTRAINT ck_case_identifier_scheme_known CHECK (scheme IN ('national', 'earlier', 'project', 'receipt', 'acceptance', 'local')),
    CONSTRAINT fk_case_identifier_case_id FOREIGN KEY(case_id) REFERENCES core.approval_case (record_id)
);
COMMENT ON TABLE core.case_identifier IS '办件其他编号: Another number under which the case is known (national, earlier system, project, receipt).';
CREATE INDEX ix_case_identifier_case_id ON core.case_identifier (case_id);
CREATE INDEX ix_case_identifier_number ON core.case_identifier (number);

CREATE TABLE core.case_link (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    other_number TEXT NOT NULL,
    link_kind TEXT NOT NULL,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_case_link PRIMARY KEY (record_id, part),
    CONSTRAINT ck_case_link_link_kind_known CHECK (link_kind IN ('parent', 'parallel', 'transferred', 'replaced', 'same_project')),
    CONSTRAINT fk_case_link_case_id FOREIGN KEY(case_id) REFERENCES core.approval_case (record_id)
);
COMMENT ON TABLE core.case_link IS '办件关联: Another case that this one names: parent, parallel, transferred, replaced, same project.';
CREATE INDEX ix_case_link_case_id ON core.case_link (case_id);

CREATE TABLE core.case_party (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    role TEXT NOT NULL,
    party_kind TEXT,
    number_kind TEXT,
    name_hash BYTEA,
    name_mask TEXT,
    number_hash BYTEA,
    number_mask TEXT,
    phone_mask TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_case_party PRIMARY KEY (record_id, part),
    CONSTRAINT ck_case_party_role_known CHECK (role IN ('applicant', 'agent', 'contact', 'legal_person')),
    CONSTRAINT ck_case_party_party_kind_known CHECK (party_kind IN ('natural', 'enterprise', 'institution', 'social', 'government', 'individual_business', 'other')),
    CONSTRAINT ck_case_party_number_kind_known CHECK (number_kind IN ('resident_id', 'credit_code', 'organisation_code', 'passport', 'permit', 'business_licence', 'other')),
    CONSTRAINT fk_case_party_case_id FOREIGN KEY(case_id) REFERENCES core.approval_case (record_id)
);
COMMENT ON TABLE core.case_party IS '办件当事人: Who applies, acts for the applicant, is the contact or the legal person, as this case said it.';
CREATE INDEX ix_case_party_case_id ON core.case_party (case_id);
CREATE INDEX ix_case_party_name_hash ON core.case_party (name_hash);
CREATE INDEX ix_case_party_number_hash ON core.case_party (number_hash);

CREATE TABLE core.delivery (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    way TEXT,
    delivered_at TIMESTAMP WITH TIME ZONE,
    delivered_at_precision CHAR(1),
    receiver_hash BYTEA,
    receiver_mask TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_delivery PRIMARY KEY (record_id, part),
    CONSTRAINT ck_delivery_way_known CHECK (way IN ('window', 'post', 'online', 'self_service', 'other')),
    CONSTRAINT fk_delivery_case_id FOREIGN KEY(case_id) REFERENCES core.approval_case (record_id)
);
COMMENT ON TABLE core.delivery IS '领取: How and when the result reached the applicant (行政许可法 art. 44).';
CREATE INDEX ix_delivery_case_id ON core.delivery (case_id);

CREATE TABLE core.fee (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    amount NUMERIC(18, 2),
    currency TEXT,
    basis TEXT,
    paid_at TIMESTAMP WITH TIME ZONE,
    paid_at_precision CHAR(1),
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_fee PRIMARY KEY (record_id, part),
    CONSTRAINT ck_fee_currency_known CHECK (currency IN ('CNY', 'EUR', 'GBP')),
    CONSTRAINT fk_fee_case_id FOREIGN KEY(case_id) REFERENCES core.approval_case (record_id)
);
COMMENT ON TABLE core.fee IS '收费: An amount charged in the case.';
CREATE INDEX ix_fee_case_id ON core.fee (case_id);

CREATE TABLE core.material (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    name TEXT,
    code TEXT,
    obtained TEXT,
    copies BIGINT,
    taken BOOLEAN,
    taken_at TIMESTAMP WITH TIME ZONE,
    taken_at_precision CHAR(1),
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_material PRIMARY KEY (record_id, part),
    CONSTRAINT fk_material_case_id FOREIGN KEY(case_id) REFERENCES core.approval_case (record_id)
);
COMMENT ON TABLE core.material IS '申请材料: One document that the applicant handed in.';
CREATE INDEX ix_material_case_id ON core.material (case_id);

CREATE TABLE core.stage_event (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    stage TEXT NOT NULL,
    local_node TEXT,
    local_code TEXT,
    handler_hash BYTEA,
    handler_mask TEXT,
    handler_post TEXT,
    unit_name TEXT,
    started_at TIMESTAMP WITH TIME ZONE,
    started_at_precision CHAR(1),
    finished_at TIMESTAMP WITH TIME ZONE,
    finished_at_precision CHAR(1),
    outcome TEXT,
    opinion TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_stage_event PRIMARY KEY (record_id, part),
    CONSTRAINT ck_stage_event_stage_known CHECK (stage IN ('accept', 'undertake', 'review', 'approve', 'complete', 'other')),
    CONSTRAINT ck_stage_event_outcome_known CHECK (outcome IN ('passed', 'returned', 'other')),
    CONSTRAINT fk_stage_event_case_id FOREIGN KEY(case_id) REFERENCES core.approval_case (record_id)
);
COMMENT ON TABLE core.stage_event IS '办理环节: What one handler did in one of the five stages (受理 承办 审核 批准 办结), or in another step that the mapping names so.';
CREATE INDEX ix_stage_event_case_id ON core.stage_event (case_id);

CREATE TABLE core.supplement (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE,
    told_at_precision CHAR(1),
    received_at TIMESTAMP WITH TIME ZONE,
    received_at_precision CHAR(1),
    materials TEXT,
    reason TEXT,
    handler_hash BYTEA,
    handler_mask TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_supplement PRIMARY KEY (record_id, part),
    CONSTRAINT fk_supplement_case_id FOREIGN KEY(case_id) REFERENCES core.approval_case (record_id)
);
COMMENT ON TABLE core.supplement IS '补正: A request to complete the application, and its answer (行政许可法 art. 32).';
CREATE INDEX ix_supplement_case_id ON core.supplement (case_id);

CREATE TABLE core.suspension (
    record_id BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    case_id BIGINT NOT NULL,
    suspension_kind TEXT,
    name TEXT,
    reason TEXT,
    approver_hash BYTEA,
    approver_mask TEXT,
    started_at TIMESTAMP WITH TIME ZONE,
    started_at_precision CHAR(1),
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_at_precision CHAR(1),
    allowed_value BIGINT,
    allowed_unit TEXT,
    result TEXT,
    sealed BYTEA,
    batch_id BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_suspension PRIMARY KEY (record_id, part),
    CONSTRAINT ck_suspension_suspension_kind_known CHECK (suspension_kind IN ('hearing', 'tender', 'auction', 'inspection', 'testing', 'quarantine', 'appraisal', 'expert_review', 'supplement', 'extension', 'other')),
    CONSTRAINT ck_suspension_allowed_unit_known CHECK (allowed_unit IN ('working_day', 'calendar_day', 'month', 'year', 'hour')),
    CONSTRAINT fk_suspension_case_id FOREIGN KEY(case_id) REFERENCES core.approval_case (record_id)
);
COMMENT ON TABLE core.suspension IS '特别程序: A pause or extension of the legal clock (行政许可法 art. 42, 45).';
CREATE INDEX ix_suspension_case_id ON core.suspension (case_id);

CREATE TABLE ledger.stream (
    stream_id INTEGER GENERATED BY DEFAULT AS IDENTITY,
    source_system_id SMALLINT NOT NULL,
    name TEXT NOT NULL,
    state JSONB DEFAULT '{}' NOT NULL,
    complete_through TIMESTAMP WITH TIME ZONE,
    complete_basis TEXT,
    last_success_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_stream PRIMARY KEY (stream_id),
    CONSTRAINT ck_stream_basis CHECK (complete_basis IN ('declared', 'inferred')),
    CONSTRAINT uq_stream_source_system_id_name UNIQUE (source_system_id, name),
    CONSTRAINT fk_stream_source_system_id FOREIGN KEY(source_system_id) REFERENCES core.source_system (source_system_id)
);
COMMENT ON TABLE ledger.stream IS 'One kind of record of one source, its cursor, and the source time up to which it is complete.';

CREATE TABLE ledger.batch (
    batch_id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    source_system_id SMALLINT NOT NULL,
    seq INTEGER NOT NULL,
    stream_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    status TEXT DEFAULT 'committed' NOT NULL,
    unit TEXT,
    mapping_version TEXT NOT NULL,
    archive_key TEXT,
    read_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reason TEXT,
    read INTEGER NOT NULL,
    "new" INTEGER DEFAULT '0' NOT NULL,
    updated INTEGER DEFAULT '0' NOT NULL,
    unchanged INTEGER DEFAULT '0' NOT NULL,
    stale INTEGER DEFAULT '0' NOT NULL,
    deleted INTEGER DEFAULT '0' NOT NULL,
    excluded INTEGER DEFAULT '0' NOT NULL,
    quarantined INTEGER DEFAULT '0' NOT NULL,
    parked INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_batch PRIMARY KEY (batch_id),
    CONSTRAINT ck_batch_kind CHECK (kind IN ('pull', 'release', 'replay', 'take_back', 'retranslate', 'accept')),
    CONSTRAINT ck_batch_status CHECK (status IN ('committed', 'held', 'superseded', 'accepted')),
    CONSTRAINT ck_batch_balance CHECK (read = new + updated + unchanged + stale + deleted + excluded + quarantined + parked),
    CONSTRAINT uq_batch_source_system_id_seq UNIQUE (source_system_id, seq),
    CONSTRAINT fk_batch_source_system_id FOREIGN KEY(source_system_id) REFERENCES core.source_system (source_system_id),
    CONSTRAINT fk_batch_stream_id FOREIGN KEY(stream_id) REFERENCES ledger.stream (stream_id)
);
COMMENT ON TABLE ledger.batch IS 'A unit of work that was committed whole: what was read, and what became of each record.';
CREATE INDEX ix_batch_recorded_at ON ledger.batch (recorded_at);
CREATE INDEX ix_batch_stream_id ON ledger.batch (stream_id);

-- Makes the monthly partitions of every history twin from this month to `ahead` months on; those that exist stay.
CREATE FUNCTION core_history.make_partitions(ahead INTEGER) RETURNS INTEGER LANGUAGE plpgsql AS $$
DECLARE
    twin TEXT;
    month DATE;
    made INTEGER := 0;
    name TEXT;
BEGIN
    FOR twin IN
        SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'core_history' AND c.relkind = 'p' ORDER BY c.relname
    LOOP
        FOR step IN 0..ahead LOOP
            month := (date_trunc('month', transaction_timestamp() AT TIME ZONE 'UTC') + make_interval(months => step))::date;
            name := twin || to_char(month, '_YYYYMM');
            IF to_regclass(format('core_history.%I', name)) IS NULL THEN
                EXECUTE format(
                    'CREATE TABLE core_history.%I PARTITION OF core_history.%I FOR VALUES FROM (%L) TO (%L)',
                    name, twin, month || ' 00:00+00', (month + interval '1 month')::date || ' 00:00+00');
                made := made + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;
SELECT core_history.make_partitions(2);

-- Says whether instant a lies before instant b, compared no finer than the coarser of their precisions (d, m, s).
CREATE FUNCTION quality.before(a TIMESTAMPTZ, a_precision CHAR, b TIMESTAMPTZ, b_precision CHAR, zone TEXT)
RETURNS BOOLEAN LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN a_precision = 'd' OR b_precision = 'd' THEN (a AT TIME ZONE zone)::date < (b AT TIME ZONE zone)::date
        WHEN a_precision = 'm' OR b_precision = 'm'
            THEN date_trunc('minute', a AT TIME ZONE 'UTC') < date_trunc('minute', b AT TIME ZONE 'UTC')
        ELSE a < b
    END
$$;
