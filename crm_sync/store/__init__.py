"""What is durable: tables, migrations, and one module of statements per aggregate."""
