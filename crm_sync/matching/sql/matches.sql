-- Matches with their evidence in words, and the best one per contact and source.

CREATE OR REPLACE MACRO said_with_weight(rule, detail, source, as_of, weight) AS
    struct_pack(as_of := as_of::DATE, detail := detail, rule := rule, source := source,
        weight := weight::DOUBLE);

CREATE OR REPLACE MACRO said(rule, detail, source, as_of) AS said_with_weight(rule, detail, source, as_of, NULL);

CREATE OR REPLACE MACRO masked_email(key) AS
    left(key[3:], 1) || '***@' || regexp_extract(key, '@(.+)$', 1);

-- Names of a source that lost its capitals, as people write them: only to be shown.
CREATE OR REPLACE MACRO capitals_after(t, sign) AS
    array_to_string(list_transform(string_split(t, sign), lambda w: upper(left(w, 1)) || w[2:]), sign);

CREATE OR REPLACE MACRO with_capitals(t) AS
    CASE WHEN t = lower(t) THEN capitals_after(capitals_after(t, ' '), '-') ELSE t END;

CREATE OR REPLACE TEMP TABLE match_row AS
SELECT
    j.contact_id,
    j.source,
    j.profile_id,
    j.confidence,
    j.band,
    j.rule,
    j.by_city_only,
    j.strength,
    j.set_aside,
    j.equals,
    j.claimed_by,
    p.as_of,
    list_filter(list_concat([
        CASE WHEN j.by_linkedin THEN said_with_weight('linkedin',
            'Same LinkedIn page: linkedin.com/in/' || c.slug, j.source, p.as_of, j.w_linkedin) END,
        CASE WHEN j.personal_email IS NOT NULL THEN said_with_weight('personal_email',
            'Same personal e-mail address: ' || masked_email(j.personal_email), j.source, p.as_of, j.w_personal_email) END,
        CASE WHEN j.work_email IS NOT NULL THEN said_with_weight('work_email',
            'Same work e-mail address: ' || masked_email(j.work_email), j.source, p.as_of, j.w_work_email) END,
        CASE WHEN j.phone IS NOT NULL THEN said_with_weight('phone',
            'Same mobile number, ending in ' || right(j.phone, 2), j.source, p.as_of, j.w_phone) END,
        CASE WHEN j.by_employer THEN said_with_weight('name_company',
            CASE WHEN j.name_agrees = 'same' OR j.e_employer THEN c.shown_name ELSE with_capitals(p.shown_name) END
            || ' works or worked at ' || coalesce(nullif(c.organisation, ''), c.domain),
            j.source, p.as_of, j.w_employer) END,
        CASE WHEN j.e_city THEN said_with_weight('location',
            'Same city, ' || c.city || ', and nobody else of that name in the source', j.source, p.as_of, j.w_city) END,
        CASE WHEN j.likeness IS NOT NULL THEN said('probabilistic', 'No key in common, but much alike: '
            || c.shown_name || ', ' || with_capitals(p.shown_name), j.source, p.as_of) END,
        CASE WHEN j.likeness IS NULL THEN CASE j.name_agrees
            WHEN 'close' THEN said_with_weight('name', 'Names are written differently: ' || c.shown_name || ', '
                || with_capitals(p.shown_name), j.source, p.as_of, j.w_name)
            WHEN 'first_only' THEN said_with_weight('name', 'Only the first names agree: ' || c.shown_name || ', '
                || with_capitals(p.shown_name), j.source, p.as_of, j.w_name)
            WHEN 'missing' THEN said_with_weight('name', 'One of them has no full name', j.source, p.as_of, j.w_name)
        END END
    ], list_transform(j.factors, lambda f: said_with_weight(
        getvariable('factor_rules')[f.field], getvariable('factor_words')[f.field || '|' || f.level],
        j.source, p.as_of, f.weight)), [
        CASE WHEN j.w_rivals < -0.005 THEN said_with_weight('rivals',
            'Other profiles of this source come into question too', j.source, p.as_of, j.w_rivals) END,
        CASE WHEN j.w_calibration IS NOT NULL THEN said_with_weight('calibration',
            'How such matches of this source turned out where a hidden key told the truth: '
            || j.calibrated_on || ' contacts', j.source, p.as_of, j.w_calibration) END,
        CASE
            WHEN j.set_aside = 'other_linkedin' THEN said_with_weight('veto',
                'The LinkedIn pages are two different ones', j.source, p.as_of, j.w_veto)
            WHEN j.set_aside = 'other_middle_name' THEN said_with_weight('veto',
                'Middle names or suffixes differ: ' || c.shown_name || ', ' || with_capitals(p.shown_name),
                j.source, p.as_of, j.w_veto)
            WHEN j.set_aside = 'other_name' THEN said_with_weight('veto',
                'The names are of two people; addresses and numbers change hands', j.source, p.as_of, j.w_veto)
            WHEN j.set_aside = 'name_missing' THEN said_with_weight('veto',
                'Without both full names an address or number says too little', j.source, p.as_of, j.w_veto)
            WHEN j.set_aside = 'weaker' THEN said('set_aside',
                'Another profile of this source has stronger evidence', j.source, p.as_of)
            WHEN j.set_aside = 'ambiguous' THEN said('set_aside',
                j.equals || ' profiles of this source fit equally well', j.source, p.as_of)
            WHEN j.set_aside = 'claimed_twice' THEN said_with_weight('set_aside',
                j.claimed_by || ' contacts of the CRM fit this profile', j.source, p.as_of, j.w_claims)
            WHEN j.likeness IS NOT NULL THEN said('held',
                'Likeness alone says that this is the same person', j.source, p.as_of)
            WHEN j.band = 'review' AND j.name_agrees = 'first_only' THEN said('held',
                'The last name is another one', j.source, p.as_of)
            WHEN j.band = 'review' AND j.other_middle THEN said('held',
                'Middle names or suffixes differ', j.source, p.as_of)
            WHEN j.band = 'review' AND j.is_contested THEN said('held',
                'Another profile of that name holds an address or number of this contact', j.source, p.as_of)
            WHEN j.band = 'review' AND j.is_claimed_as_well THEN said('held',
                'Another contact of the CRM fits this profile at least as well', j.source, p.as_of)
            WHEN j.band = 'review' AND (j.identified > 1 OR j.runner_up >= getvariable('most_runner_up'))
                THEN said('held', 'Another profile shares an address or number with this contact', j.source, p.as_of)
            WHEN j.band = 'review' AND (j.e_linkedin OR j.families >= 2) THEN said('held',
                'The names are too different to tell one person from two', j.source, p.as_of)
            WHEN j.band = 'review' THEN said('held',
                'Only one kind of evidence says that this is the same person', j.source, p.as_of)
        END
    ]), lambda e: e IS NOT NULL) AS evidence
FROM judged_pair j
JOIN contact_person c USING (contact_id)
JOIN profile_person p USING (source, profile_id);

CREATE OR REPLACE TEMP VIEW best_match AS
SELECT * FROM match_row WHERE band <> 'ignored';

DROP TABLE pair;
DROP TABLE weighed;
DROP TABLE sure;
DROP TABLE judged_pair;
DROP TABLE profile_person;
