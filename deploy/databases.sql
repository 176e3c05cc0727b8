-- The environments' own databases; the Supervisor's is made by the image.
CREATE DATABASE nocobase_worker_a;
CREATE DATABASE nocobase_worker_b;
