-- From what each source claims to what is believed of each contact. Each source has one claim.

CREATE OR REPLACE TEMP TABLE claim AS
WITH joint AS (
    SELECT match_no, flatten(list(doubts)) AS doubts
    FROM (
        FROM doubted
        UNION ALL SELECT match_no, ['perhaps_renamed'] FROM perhaps_renamed
        UNION ALL SELECT match_no, ['many_moved'] FROM many_moved
    )
    GROUP BY match_no
)
SELECT
    f.match_no, f.contact_no, f.source, f.profile_id, f.kind, f.finding, f.rule, f.strength, f.as_of, f.since,
    f.band AS match_band,
    f.confidence AS match_confidence,
    coalesce(t.trust, 1.0) AS trust,
    coalesce(j.doubts, []) AS doubts,
    -- Where the source has this person now, as far as it can be compared with another's word.
    CASE
        WHEN f.kind IN ('unchanged', 'retitled') OR f.finding IN ('wording', 'untitled_there', 'on_leave', 'planned_there')
            THEN 'there'
        WHEN f.kind = 'moved' OR (f.finding = 'not_in_history' AND f.has_job) THEN 'elsewhere'
        WHEN f.kind = 'left' THEN 'gone'
    END AS place,
    f.last_end_latest, f.job_company_no, f.job_domain_no, f.job_title_no, f.job_key_no
FROM change_found f
LEFT JOIN source_trust t ON t.source = f.source
LEFT JOIN joint j ON j.match_no = f.match_no;

CREATE OR REPLACE MACRO changed_by(kind, trust, doubts) AS
    CASE WHEN kind = 'unknown' THEN 0.0
        ELSE trust * getvariable('kind_confidence')[kind] * pow(getvariable('doubt_factor'), len(doubts)) END;

-- The claim that speaks for a contact. A source that spoke before the latest news does not know them;
-- then the surest match, then a source that is trusted, then the newest.
CREATE OR REPLACE TEMP TABLE told_twice AS
SELECT contact_no FROM claim GROUP BY contact_no HAVING count(*) > 1;

CREATE OR REPLACE TEMP TABLE speaking AS
WITH dated AS (
    SELECT *,
        max(since) FILTER (kind IN ('moved', 'retitled', 'left') AND as_of IS NOT NULL) OVER w AS latest_news,
        bool_or(kind = 'moved') OVER w AS is_said_to_have_moved
    FROM claim SEMI JOIN told_twice USING (contact_no)
    WINDOW w AS (PARTITION BY contact_no)
)
SELECT match_no FROM claim ANTI JOIN told_twice USING (contact_no)
UNION ALL
SELECT match_no FROM dated
QUALIFY row_number() OVER (
    PARTITION BY contact_no
    ORDER BY kind = 'unknown', coalesce(as_of < latest_news, FALSE), match_band,
        kind = 'left' AND is_said_to_have_moved, trust < getvariable('trust_alone'),
        as_of DESC NULLS LAST, trust DESC, strength DESC,
        match_confidence * changed_by(kind, trust, doubts) DESC, source, profile_id) = 1;

-- Where the new employer of a move is among what another source has as left, since the move.
CREATE OR REPLACE TEMP TABLE over_again AS
SELECT DISTINCT h.match_no, o.match_no AS other_no
FROM claim h SEMI JOIN speaking USING (match_no)
JOIN claim o ON o.contact_no = h.contact_no AND o.match_no <> h.match_no
JOIN left_behind b ON b.match_no = o.match_no
    AND (coalesce(b.company_no = h.job_company_no, FALSE) OR coalesce(b.domain_no = h.job_domain_no, FALSE))
WHERE h.kind = 'moved' AND coalesce(b.until >= h.since, TRUE);

-- What every other source says to it: it agrees, only knows that the old job ended, says otherwise, or
-- spoke too early to know. That somebody is still at the old employer is early until the old job ended.
CREATE OR REPLACE TEMP TABLE witness AS
WITH heard AS (
    SELECT
        h.match_no, o.match_no AS other_no, h.kind, o.kind AS other_kind, o.source, o.as_of, o.trust,
        o.doubts, o.match_band, o.match_confidence, o.place, o.rule, o.since,
        changed_by(o.kind, o.trust, o.doubts) AS change_confidence,
        coalesce(o.as_of < CASE WHEN h.kind = 'moved' AND o.place = 'there' THEN least(h.since, h.last_end_latest)
            ELSE h.since END, FALSE) AS is_early,
        r.match_no IS NOT NULL AS is_over_again,
        d.source IS NOT NULL AS is_demoted,
        coalesce(o.job_company_no = h.job_company_no, FALSE)
            OR coalesce(o.job_domain_no = h.job_domain_no, FALSE) AS same_company,
        coalesce(o.job_key_no = h.job_key_no, FALSE) AS same_title,
        coalesce(o.job_key_no <> h.job_key_no, FALSE)
            AND NOT list_has_all(words(ot.title_key), words(ht.title_key))
            AND NOT list_has_all(words(ht.title_key), words(ot.title_key)) AS other_title
    FROM claim h SEMI JOIN speaking USING (match_no)
    JOIN claim o ON o.contact_no = h.contact_no AND o.match_no <> h.match_no
    LEFT JOIN job_title ht ON ht.title_no = h.job_title_no
    LEFT JOIN job_title ot ON ot.title_no = o.job_title_no
    LEFT JOIN over_again r ON r.match_no = h.match_no AND r.other_no = o.match_no
    LEFT JOIN demoted d ON d.source = o.source AND d.kind = o.kind AND d.rule = o.rule
    WHERE h.kind <> 'unknown' AND o.trust > 0 AND h.contact_no IN (SELECT contact_no FROM told_twice)
)
SELECT *,
    CASE
        WHEN kind = 'moved' AND place = 'elsewhere' AND same_company
            THEN CASE WHEN other_title AND NOT is_early THEN 'otherwise' ELSE 'agrees' END
        WHEN is_over_again AND NOT is_early THEN 'otherwise'
        WHEN place IS NULL THEN NULL
        WHEN kind = 'moved' AND place = 'gone' THEN 'ended'
        WHEN kind = 'retitled' AND place = 'there' AND same_title THEN 'agrees'
        WHEN kind = 'left' AND place = 'gone' THEN 'agrees'
        WHEN kind = 'unchanged' AND other_kind = 'unchanged' THEN 'agrees'
        WHEN kind = 'unchanged' AND other_kind = 'unknown' THEN NULL
        WHEN kind <> 'unchanged' AND is_early THEN 'earlier'
        ELSE 'otherwise'
    END AS stance,
    -- It would go by itself: enough to make good what the speaking source does not know.
    coalesce(stance = 'agrees', FALSE) AND other_kind = kind AND match_band = 'auto' AND len(doubts) = 0 AND NOT is_demoted
        AND rule <> 'probabilistic' AND trust >= getvariable('trust_alone') AS is_strong
FROM heard;

CREATE OR REPLACE TEMP TABLE agreement AS
SELECT
    match_no,
    -- how likely all that agree are wrong, and what those who say otherwise leave
    coalesce(product(1 - match_confidence * CASE WHEN other_kind = 'unknown' THEN trust * 0.5
        ELSE change_confidence END) FILTER (stance = 'agrees'), 1) AS all_wrong,
    coalesce(product(1 - getvariable('contradiction') * trust * match_confidence)
        FILTER (stance = 'otherwise'), 1) AS left_over,
    count(*) FILTER (stance = 'otherwise') > 0 AS is_contradicted,
    coalesce(bool_or(is_strong), FALSE) AS is_backed,
    min(since) FILTER (is_strong) AS strong_since,
    list_filter(list_distinct(flatten(list(doubts) FILTER (stance = 'agrees'))),
        lambda d: list_contains(getvariable('lasting_doubts'), d)) AS shared_doubts
FROM witness WHERE stance IS NOT NULL
GROUP BY match_no;

-- What is believed of each contact: the speaking claim with the doubts that are left.
CREATE OR REPLACE TEMP TABLE believed AS
WITH weighed AS (
    SELECT
        c.* EXCLUDE (doubts, since),
        coalesce(c.since, a.strong_since) AS since,
        CASE
            WHEN a.match_no IS NULL THEN c.doubts
            ELSE list_distinct(list_concat(
                CASE WHEN a.is_backed
                    THEN list_filter(c.doubts, lambda d: NOT list_contains(getvariable('liftable_doubts'), d))
                    ELSE c.doubts END,
                coalesce(a.shared_doubts, [])))
        END AS left_doubts,
        coalesce(a.all_wrong, 1) AS all_wrong,
        coalesce(a.left_over, 1) AS left_over,
        coalesce(a.is_contradicted, FALSE) AS is_contradicted,
        c.kind <> 'unknown' AND c.trust < getvariable('trust_alone') AND NOT coalesce(a.is_backed, FALSE)
            AS is_weak
    FROM claim c SEMI JOIN speaking USING (match_no)
    LEFT JOIN agreement a USING (match_no)
)
SELECT
    w.* EXCLUDE (left_doubts, all_wrong, left_over, is_weak, is_contradicted),
    CASE WHEN is_weak THEN list_append(left_doubts, 'low_trust') ELSE left_doubts END AS doubts,
    CASE WHEN kind = 'unknown' THEN 0.0
        ELSE least(getvariable('most_confidence'),
            1 - (1 - changed_by(kind, trust, left_doubts)) * all_wrong) * left_over END AS change_confidence,
    match_band = 'auto' AND len(left_doubts) = 0 AND NOT is_weak AND NOT is_contradicted AS is_sure,
    CASE WHEN is_sure THEN x.detail END AS measured,
    CASE WHEN kind = 'unknown' THEN 'ignored' WHEN is_sure AND x.rule IS NULL THEN 'auto' ELSE 'review' END AS band
FROM weighed w
LEFT JOIN demoted x USING (source, kind, rule);

DROP TABLE told_twice;
DROP TABLE speaking;
DROP TABLE agreement;
DROP TABLE over_again;
DROP TABLE left_behind;
