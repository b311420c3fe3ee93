-- The best candidate of each hidden contact, by one family or by likeness (pair_score), unless
-- several fit equally well: weight, margin over the runner-up, probability before calibration,
-- whether it is the right one, and the half of the contact.
WITH standing AS (
    SELECT contact_id, profile_id, own_weight, strength, e_personal AND (e_work_email OR e_employer) AS is_double
    FROM hidden_pair WHERE stands
    UNION ALL
    SELECT s.left_id, s.right_id, s.weight, 0.5, FALSE
    FROM pair_score s
    JOIN hidden h ON h.contact_id = s.left_id
    WHERE NOT (h.is_absent AND s.right_id = h.profile_id)
),
ranked AS (
    SELECT
        *,
        sum(odds_of(own_weight)) OVER (PARTITION BY contact_id) - odds_of(own_weight) AS odds_of_rivals,
        count(*) OVER (PARTITION BY contact_id, strength) AS equals,
        row_number() OVER (PARTITION BY contact_id ORDER BY strength DESC, own_weight DESC, profile_id) AS rank
    FROM standing
)
SELECT
    r.own_weight,
    least(r.own_weight - log2(greatest(r.odds_of_rivals, odds_of(getvariable('prior_weight')))),
        getvariable('most_margin')),
    chance_of(r.own_weight - log2(1 + greatest(r.odds_of_rivals, 0))),
    r.profile_id = h.profile_id,
    h.half
FROM ranked r
JOIN hidden h USING (contact_id)
WHERE r.rank = 1 AND NOT r.is_double AND (r.equals = 1 OR r.strength = 0.5)
ORDER BY ALL;
