"""SOQL: text to syntax (`parser`), syntax to parametrised SQL over the sandbox (`compiler`)."""
