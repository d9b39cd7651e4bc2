"""The first questions of most users, as SQL that both databases understand."""

from typing import Final

#: Question and query; no double quotes, so that a query can be quoted on a command line.
QUESTIONS: Final = (
    (
        "Which reviews are the most negative?",
        "SELECT review_id, probability, text FROM review_scores ORDER BY probability LIMIT 5",
    ),
    (
        "Which words pull reviews down?",
        "SELECT surface, COUNT(*) AS times, AVG(heat) AS mean_heat FROM token_heat "
        "WHERE method = 'gradcam' AND is_function = 0 AND heat IS NOT NULL "
        "GROUP BY surface ORDER BY mean_heat, surface LIMIT 10",
    ),
    (
        "Where does a word stand, and what did it do there?",
        "SELECT review_id, position, heat, probability FROM token_heat "
        "WHERE method = 'gradcam' AND surface = '최고' AND heat IS NOT NULL "
        "ORDER BY heat DESC, review_id, position",
    ),
    (
        "Which words are common in negative reviews, and rare in positive ones?",
        "SELECT surface, pos, negative_reviews, positive_reviews FROM keyword_importance "
        "WHERE method = 'gradcam' AND is_function = 0 "
        "ORDER BY negative_reviews - positive_reviews DESC, surface LIMIT 10",
    ),
)
