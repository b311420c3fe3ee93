-- hidden(contact_id, source, profile_id, is_absent, half): their pairs as if the CRM had no LinkedIn
-- page of them, and without their own profile where it is taken away.
CREATE OR REPLACE TEMP TABLE hidden_compared AS
SELECT p.contact_id, p.source, p.profile_id, FALSE AS by_linkedin, p.personal_email, p.work_email,
    p.phone, p.by_employer, p.first_agrees, p.last_agrees, p.other_middle, FALSE AS other_linkedin,
    p.same_city, p.name_agrees, p.likeness, p.factors
FROM pair p
JOIN hidden h USING (contact_id, source)
WHERE p.likeness IS NULL AND NOT (h.is_absent AND p.profile_id = h.profile_id);

CREATE OR REPLACE TEMP TABLE hidden_pair AS FROM evidenced('hidden_compared');

DROP TABLE hidden_compared;
